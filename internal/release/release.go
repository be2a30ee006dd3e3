package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Platform is a system and a processor, by Go's names of them.
type Platform struct{ OS, Arch string }

// Platforms are those that a release has.
func Platforms() []Platform {
	return []Platform{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "arm64"}, {"darwin", "amd64"}}
}

// Plan says what to make, of which source, and where.
type Plan struct {
	Source    string // the checkout, with the page built
	Out       string
	Version   string
	Commit    string    // that the binaries must say they are of; empty: not looked at
	Time      time.Time // of the commit: of every file in an archive
	Platforms []Platform
}

// beside are the files that an archive has beside the binary.
func beside() []string {
	return []string{"LICENSE", "README.md", "CHANGELOG.md", "docs", "deploy", "dashboards/grafana"}
}

const page = "dashboards/web/dist/index.html"

// Make makes the release and gives the names of its files, SHA256SUMS last.
func Make(ctx context.Context, p *Plan) (names []string, err error) {
	if _, err := os.Stat(filepath.Join(p.Source, page)); err != nil {
		return nil, fmt.Errorf("the page is not built, and would be missing: %w", err)
	}
	if err := os.MkdirAll(p.Out, 0o755); err != nil {
		return nil, err
	}
	for _, platform := range p.Platforms {
		made, err := p.make(ctx, platform)
		if err != nil {
			return nil, fmt.Errorf("%s/%s: %w", platform.OS, platform.Arch, err)
		}
		names = append(names, made...)
	}
	return append(names, sums), p.sum(names)
}

// make makes the archive and the bill of one platform.
func (p *Plan) make(ctx context.Context, platform Platform) (names []string, err error) {
	temporary, err := os.MkdirTemp("", "rollcall-release-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	binary := filepath.Join(temporary, "rollcall")
	if err := p.compile(ctx, platform, binary); err != nil {
		return nil, err
	}
	parts, err := partsOf(binary, filepath.Join(p.Source, "dashboards/web/package-lock.json"))
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("rollcall-%s-%s-%s", p.Version, platform.OS, platform.Arch)
	bill, err := billOf(name, p.Version, p.Time, parts)
	if err != nil {
		return nil, err
	}
	notices, err := p.notices(ctx, platform, parts)
	if err != nil {
		return nil, err
	}
	files := []File{{Name: "rollcall", From: binary, Program: true}, {Name: "NOTICES.txt", Text: notices}, {Name: "rollcall.cdx.json", Text: bill}}
	more, err := p.documents(ctx)
	if err != nil {
		return nil, err
	}
	var archive bytes.Buffer
	if err := Archive(&archive, name, p.Time, append(files, more...)); err != nil {
		return nil, err
	}
	return []string{name + ".tar.gz", name + ".cdx.json"}, errors.Join(
		p.write(name+".tar.gz", archive.Bytes()), p.write(name+".cdx.json", bill))
}

// compile builds the binary: no C library, no path of this machine, and the
// commit in it.
func (p *Plan) compile(ctx context.Context, platform Platform, binary string) error {
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", binary, "./cmd/rollcall")
	c.Dir = p.Source
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+platform.OS, "GOARCH="+platform.Arch)
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, said)
	}
	return p.checkCommit(binary)
}

// checkCommit refuses a binary that is not of the commit as it was committed: Go
// leaves that out in silence where it finds no repository, as in a git worktree.
func (p *Plan) checkCommit(binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil || p.Commit == "" {
		return err
	}
	said := map[string]string{}
	for _, s := range info.Settings {
		said[s.Key] = s.Value
	}
	if said["vcs.revision"] != p.Commit || said["vcs.modified"] != "false" {
		return fmt.Errorf("the binary is of commit %q (modified: %q), not of %s: release from a clone in which all is committed", said["vcs.revision"], said["vcs.modified"], p.Commit)
	}
	return nil
}

// documents gives the files that git knows of those that stand beside the
// binary: nothing that lies about by chance.
func (p *Plan) documents(ctx context.Context) (files []File, err error) {
	c := exec.CommandContext(ctx, "git", append([]string{"ls-files", "-z", "--"}, beside()...)...)
	c.Dir = p.Source
	listed, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		if strings.HasSuffix(name, ".go") || strings.HasPrefix(name, "deploy/check/") || strings.HasPrefix(filepath.Base(name), ".") {
			continue // of our tests, and of git
		}
		files = append(files, File{Name: name, From: filepath.Join(p.Source, name)})
	}
	if len(files) < len(beside()) {
		return nil, fmt.Errorf("%d files beside the binary: %w", len(files), fs.ErrNotExist)
	}
	return files, nil
}

const sums = "SHA256SUMS"

// sum writes the sums of the files, as sha256sum does.
func (p *Plan) sum(names []string) error {
	var text bytes.Buffer
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(p.Out, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(content), name)
	}
	return p.write(sums, text.Bytes())
}

func (p *Plan) write(name string, content []byte) error {
	return os.WriteFile(filepath.Join(p.Out, name), content, 0o644) //nolint:gosec // what is given away is for everybody
}
