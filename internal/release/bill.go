package release

import (
	"cmp"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
)

// part is a module of others that is in the binary, or a package in its page.
type part struct {
	kind      string // golang or npm, as in a package URL
	name      string
	version   string
	algorithm string // of the hash, by CycloneDX's name of it
	hash      string // in hexadecimal
	licence   string // an SPDX expression, where the package says it itself
}

// url is the part's package URL (purl).
func (p *part) url() string {
	var escaped []string
	for _, one := range strings.Split(p.name, "/") {
		escaped = append(escaped, strings.ReplaceAll(url.PathEscape(one), "@", "%40"))
	}
	return "pkg:" + p.kind + "/" + strings.Join(escaped, "/") + "@" + strings.ReplaceAll(url.PathEscape(p.version), "+", "%2B")
}

// partsOf gives what a binary says that it is made of, and what its page's lock
// file says, in order.
func partsOf(binary, lock string) ([]part, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	parts := []part{{kind: "golang", name: "std", version: info.GoVersion}}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		hash, err := fromBase64(strings.TrimPrefix(m.Sum, "h1:"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Path, err)
		}
		parts = append(parts, part{kind: "golang", name: m.Path, version: m.Version, algorithm: "SHA-256", hash: hash})
	}
	packages, err := packagesOf(lock)
	parts = append(parts, packages...)
	slices.SortFunc(parts, func(a, b part) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.name, b.name)) })
	return parts, err
}

// packagesOf gives the packages of an npm lock file that are no tools.
func packagesOf(lock string) (parts []part, err error) {
	text, err := os.ReadFile(lock)
	if err != nil {
		return nil, err
	}
	var locked struct {
		Packages map[string]struct {
			Version, Integrity, License string
			Dev, Optional               bool
		}
	}
	if err := json.Unmarshal(text, &locked); err != nil {
		return nil, fmt.Errorf("%s: %w", lock, err)
	}
	for place, p := range locked.Packages {
		at := strings.LastIndex(place, modules)
		if at < 0 || p.Dev || p.Optional {
			continue
		}
		hash, err := fromBase64(strings.TrimPrefix(p.Integrity, "sha512-"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		parts = append(parts, part{kind: "npm", name: place[at+len(modules):], version: p.Version, algorithm: "SHA-512", hash: hash, licence: p.License})
	}
	return parts, nil
}

const modules = "node_modules/"

func fromBase64(text string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(text)
	return hex.EncodeToString(b), err
}

// bill is a CycloneDX 1.5 bill of materials, as far as we fill it.
type bill struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref      string    `json:"bom-ref"`
	Type     string    `json:"type"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Hashes   []hash    `json:"hashes,omitempty"`
	Licenses []license `json:"licenses,omitempty"`
	URL      string    `json:"purl,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type license struct {
	Expression string `json:"expression"`
}

// billOf writes the bill. It has no serial number: the same parts are the same
// bytes.
func billOf(name, version string, at time.Time, parts []part) ([]byte, error) {
	b := bill{Format: "CycloneDX", Spec: "1.5", Version: 1}
	b.Metadata = metadata{
		Timestamp: at.UTC().Format(time.RFC3339),
		Component: component{Ref: name, Type: "application", Name: "rollcall", Version: version, Licenses: []license{{"Apache-2.0"}}},
	}
	for _, p := range parts {
		c := component{Ref: p.url(), Type: "library", Name: p.name, Version: p.version, URL: p.url()}
		if p.hash != "" {
			c.Hashes = []hash{{p.algorithm, p.hash}}
		}
		if p.licence != "" {
			c.Licenses = []license{{p.licence}}
		}
		b.Components = append(b.Components, c)
	}
	text, err := json.MarshalIndent(b, "", "  ")
	return append(text, '\n'), err
}
