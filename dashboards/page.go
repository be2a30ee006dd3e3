package dashboards

import (
	"bytes"
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// What "make page" built; only the file that holds the folder's place where
// nothing did.
//
//go:embed all:web/dist
var built embed.FS

// unbuilt is served in the page's place by a binary that was built without it.
//
//go:embed unbuilt.html
var unbuilt []byte

// policy lets the page load what its own server has, and nothing else; blob is
// for the pictures that it saves.
const policy = "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors "

// Page is the page as it is built into the binary.
type Page struct {
	index  []byte
	files  fs.FS
	policy string
}

// NewPage gives the page that the binary carries. Pages of the sites may show it
// in a frame, each an origin such as https://example.org; without any, none may.
func NewPage(sites ...string) *Page { return newPage(built, sites...) }

func newPage(tree fs.FS, sites ...string) *Page {
	p := &Page{index: unbuilt, files: tree, policy: policy + "'none'"}
	if len(sites) > 0 {
		p.policy = policy + strings.Join(sites, " ")
	}
	files, err := fs.Sub(tree, "web/dist")
	if err != nil {
		return p // not a path: can't be
	}
	p.files = files
	if index, err := fs.ReadFile(files, "index.html"); err == nil {
		p.index = index
	}
	return p
}

// Built says whether the binary carries the page, or only how to build it.
func (p *Page) Built() bool { return !bytes.Equal(p.index, unbuilt) }

// ServeHTTP serves the page at every path but those of its assets: which figures
// it shows is in its address, and read by its script. It needs no key, and has
// no figure in it.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", p.policy)
	if strings.HasPrefix(r.URL.Path, "/assets/") {
		p.asset(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	http.ServeContent(w, r, "index.html", time.Time{}, bytes.NewReader(p.index))
}

// asset serves a file whose name has its hash in it, and so never changes.
func (p *Page) asset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	data, err := fs.ReadFile(p.files, name)
	if err != nil || !strings.HasPrefix(name, "assets/") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", contentType(name))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
}

// contentType is fixed: the machine's own table may know JavaScript as text.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}
