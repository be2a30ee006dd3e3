package access

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// What a browser sends of itself, a web page of anybody's may have made it send.
// So a listener on this machine's own addresses is asked by its own name, and what
// a browser may change without a key of its own needs more than a page of another
// site, or a form, can send.

var (
	errHost   = errors.New("the Host is not localhost, 127.0.0.1 or [::1]")
	errOrigin = errors.New("a page of another origin, or a form, can't change anything here")
)

// checkHost refuses a name that is not this machine's own, nor the one that the
// server is publicly known under: a page whose name's address was changed to this
// machine's (DNS rebinding) asks under that name.
func checkHost(r *http.Request, public string) error {
	name, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		name = strings.Trim(r.Host, "[]")
	}
	if name == "localhost" || name == "127.0.0.1" || name == "::1" || public != "" && r.Host == hostOf(public) {
		return nil
	}
	return errHost
}

// checkOrigin refuses a change that a page of another site may have sent.
func checkOrigin(r *http.Request, public string) error {
	if changes(r.Method) && (!sameOrigin(r, public) || formType(r) && !coded(r)) {
		return errOrigin
	}
	return nil
}

func hostOf(site string) string {
	u, err := url.Parse(site)
	if err != nil {
		return ""
	}
	return u.Host
}

func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

func sameOrigin(r *http.Request, public string) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == public {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host == r.Host && (r.TLS == nil || u.Scheme == "https")
}

// coded reports a content coding, as some trackers give a form's type with: no page
// of another site sends one without asking, and no form at all.
func coded(r *http.Request) bool { return r.Header.Get("Content-Encoding") != "" }

// formType reports a content type that an HTML form can send without asking.
func formType(r *http.Request) bool {
	t, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return true
	}
	return t == "text/plain" || t == "application/x-www-form-urlencoded" || t == "multipart/form-data"
}
