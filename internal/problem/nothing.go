package problem

import (
	"bytes"
	"cmp"
	_ "embed"
	"html/template"
	"mime"
	"net/http"
	"strings"
)

// NothingAt answers that there is nothing at the request's path: a problem, and to
// who opens the address in a browser a page with a link to the start. Under /v1/ it
// is a problem for everyone.
func NothingAt(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	if !Opened(r) {
		Write(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
		return
	}
	w.Header().Add("Vary", "Accept-Language")
	var page bytes.Buffer
	if err := nothingPage().Execute(&page, wordsOf(r)); err != nil {
		Write(w, http.StatusNotFound, "there is nothing at "+r.URL.Path)
		return
	}
	w.Header().Set("Content-Security-Policy", Policy) // also where the page's own was set
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write(page.Bytes()) // the client has gone: nobody is left to tell
	}
}

// Policy is what the pages of the server itself may do: have a style, and nothing more.
const Policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

// Opened reports whether a browser asks for a page, and not a script for an answer.
func Opened(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		return false
	}
	for _, accepted := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, parameters, err := mime.ParseMediaType(accepted)
		q := parameters["q"]
		if err == nil && kind == "text/html" && (q == "" || strings.Trim(q, "0.") != "") {
			return true
		}
	}
	return false
}

//go:embed nothing.html
var nothingHTML string

func nothingPage() *template.Template {
	return template.Must(template.New("nothing").Parse(nothingHTML))
}

// nothingWords are what the page says.
type nothingWords struct{ Language, Title, Text, Start string }

// wordsOf gives them in the language that the address asks for, as the page's do, or
// the reader's first; French, or else English.
func wordsOf(r *http.Request) nothingWords {
	first, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ",")
	language, _, _ := strings.Cut(strings.TrimSpace(cmp.Or(r.URL.Query().Get("lang"), first)), ";")
	if main, _, _ := strings.Cut(strings.ToLower(language), "-"); main == "fr" {
		return nothingWords{"fr", "Il n’y a rien à " + shown(r), "L’adresse est peut-être mal saisie, ou d’une autre version de Rollcall.", "Aller au début"}
	}
	return nothingWords{"en", "There is nothing at " + shown(r), "The address may be mistyped, or be of another version of Rollcall.", "Go to the start"}
}

// shown gives the request's path, escaped as in an address and of a length that can be
// read.
func shown(r *http.Request) string {
	const most = 200
	path := r.URL.EscapedPath()
	if len(path) > most {
		return path[:most] + "…"
	}
	return path
}
