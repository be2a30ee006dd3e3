package archrules

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	linkPattern    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	headingPattern = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	fencePattern   = regexp.MustCompile("(?ms)^```.*?^```$")
)

// Links gives every relative link of the module's Markdown files that leads
// nowhere, as "file: what is wrong": to a file that is not there, or to a
// heading that a Markdown file does not have.
func Links(root fs.FS) (broken []string, read int, err error) {
	err = fs.WalkDir(root, ".", func(at string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && skipped(at):
			return fs.SkipDir
		case entry.IsDir() || path.Ext(at) != ".md":
			return nil
		}
		text, err := fs.ReadFile(root, at)
		read++
		for _, target := range links(string(text)) {
			if why := follow(root, at, target); why != "" {
				broken = append(broken, fmt.Sprintf("%s: %s: %s", at, target, why))
			}
		}
		return err
	})
	return broken, read, err
}

// links gives the targets of a text that are not on another host.
func links(text string) (targets []string) {
	for _, found := range linkPattern.FindAllStringSubmatch(fencePattern.ReplaceAllString(text, ""), -1) {
		if !strings.Contains(found[1], "://") && !strings.HasPrefix(found[1], "mailto:") {
			targets = append(targets, found[1])
		}
	}
	return targets
}

// follow says why a link of the file leads nowhere; "": it doesn't.
func follow(root fs.FS, from, target string) string {
	name, heading, _ := strings.Cut(target, "#")
	at := from
	if name != "" {
		at = path.Join(path.Dir(from), name)
	}
	if !fs.ValidPath(at) {
		return "leads out of the module"
	}
	if _, err := fs.Stat(root, at); err != nil {
		return "is not there"
	}
	if heading == "" {
		return ""
	}
	text, err := fs.ReadFile(root, at)
	if err != nil || !slices.Contains(anchors(string(text)), heading) {
		return "has no such heading"
	}
	return ""
}

// anchors gives the names that GitHub gives headings: lower case, spaces as
// "-", without punctuation.
func anchors(text string) (names []string) {
	for _, found := range headingPattern.FindAllStringSubmatch(text, -1) {
		name := strings.ReplaceAll(strings.ToLower(found[1]), " ", "-")
		names = append(names, regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(name, ""))
	}
	return names
}
