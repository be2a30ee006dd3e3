package problem

import (
	"bytes"
	_ "embed"
	"html/template"
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
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusNotFound)
	if r.Method != http.MethodHead {
		_, _ = w.Write(page.Bytes()) // the client has gone: nobody is left to tell
	}
}

// Opened reports whether a browser asks for a page, and not a script for an answer.
func Opened(r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		return false
	}
	for _, accepted := range strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",") {
		kind, _, _ := strings.Cut(accepted, ";")
		if strings.EqualFold(strings.TrimSpace(kind), "text/html") {
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

// wordsOf gives them in the reader's first language, where that is French; else in
// English.
func wordsOf(r *http.Request) nothingWords {
	if strings.HasPrefix(strings.ToLower(r.Header.Get("Accept-Language")), "fr") {
		return nothingWords{"fr", "Il n’y a rien à " + r.URL.Path, "L’adresse est peut-être mal saisie, ou d’une autre version de Rollcall.", "Aller au début"}
	}
	return nothingWords{"en", "There is nothing at " + r.URL.Path, "The address may be mistyped, or be of another version of Rollcall.", "Go to the start"}
}
