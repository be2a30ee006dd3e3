package api

import (
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Guard protects a keyless loopback listener from web pages: the Host must be
// a loopback name, and what changes state needs a content type that a form
// can't send and no foreign Origin.
func Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopbackHost(r.Host) {
			problem(w, http.StatusForbidden, "the Host is not localhost, 127.0.0.1 or [::1]")
			return
		}
		if changes(r.Method) && (!sameOrigin(r) || formType(r)) {
			problem(w, http.StatusForbidden, "a page of another origin, or a form, can't change anything here")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

func loopbackHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	return name == "localhost" || name == "127.0.0.1" || name == "::1"
}

func sameOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host
}

// formType reports a content type that an HTML form can send without asking.
func formType(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return true
	}
	return t == "text/plain" || t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}
