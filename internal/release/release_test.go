package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines"
)

const source = "../.."

// TestSameBytes: an archive depends on names and contents alone.
func TestSameBytes(t *testing.T) {
	at := time.Date(2003, time.January, 2, 3, 4, 5, 6, time.FixedZone("somewhere", 3600))
	folder := t.TempDir()
	var files []File
	for _, name := range []string{"b", "a"} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("what is in "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, File{Name: name, From: path, Program: name == "b"})
	}
	pack := func() []byte {
		var out bytes.Buffer
		if err := Archive(&out, "x", at, files); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := pack()
	slices.Reverse(files)
	if err := errors.Join(os.Chmod(filepath.Join(folder, "a"), 0o640), os.Chtimes(filepath.Join(folder, "a"), at, at)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, pack()) {
		t.Error("another order, mode and time make other bytes")
	}
	files[0].Program = true
	if bytes.Equal(first, pack()) {
		t.Error("a file that may be run makes the same bytes")
	}
}

// TestRelease makes a release for this machine, twice: the bytes are the same,
// the binary in it runs, and nothing that is in the binary is not on the bill.
func TestRelease(t *testing.T) {
	engines.Long(t, "compiles everything anew")
	if _, err := os.Stat(filepath.Join(source, page)); err != nil {
		t.Skip(`needs the page: "make page" builds it`)
	}
	first, second := made(t), made(t)
	for name, content := range first {
		if !bytes.Equal(content, second[name]) {
			t.Errorf("%s is another the second time", name)
		}
	}
	name := fmt.Sprintf("rollcall-1.2.3-%s-%s", runtime.GOOS, runtime.GOARCH)
	if want := fmt.Sprintf("%x  %s.tar.gz\n", sha256.Sum256(first[name+".tar.gz"]), name); !strings.Contains(string(first["SHA256SUMS"]), want) {
		t.Errorf("SHA256SUMS lacks %q", want)
	}
	binary := unpack(t, name, first[name+".tar.gz"])
	if said, err := exec.CommandContext(t.Context(), binary, "version").CombinedOutput(); err != nil || !strings.HasPrefix(string(said), "rollcall ") {
		t.Errorf("it says %q, %v", said, err)
	}
	requireBill(t, binary, first[name+".cdx.json"])
}

func made(t *testing.T) map[string][]byte {
	t.Helper()
	plan := &Plan{Source: source, Out: t.TempDir(), Version: "1.2.3", Time: time.Unix(1041476645, 0), Platforms: []Platform{{runtime.GOOS, runtime.GOARCH}}}
	names, err := Make(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(plan.Out, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = content
	}
	if len(files) != 3 {
		t.Fatalf("the release is %v", names)
	}
	return files
}

// unpack gives the program of an archive, which has all that must go with it.
func unpack(t *testing.T, folder string, archive []byte) (binary string) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	missing := []string{"rollcall", "LICENSE", "NOTICES.txt", "rollcall.cdx.json", "README.md", "deploy/systemd/rollcall.service", "dashboards/grafana/dashboards/census.json", "docs/operating.md"}
	binary = filepath.Join(t.TempDir(), "rollcall")
	for files := tar.NewReader(packed); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name, ok := strings.CutPrefix(header.Name, folder+"/")
		if !ok || header.Uid != 0 || header.Uname != "" {
			t.Errorf("%s of %d %q", header.Name, header.Uid, header.Uname)
		}
		missing = slices.DeleteFunc(missing, func(m string) bool { return m == name })
		if name != "rollcall" {
			continue
		}
		content, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(binary, content, os.FileMode(header.Mode)); err != nil {
			t.Fatal(err)
		}
	}
	if len(missing) > 0 {
		t.Errorf("the archive lacks %v", missing)
	}
	return binary
}

func requireBill(t *testing.T, binary string, text []byte) {
	t.Helper()
	var b bill
	if err := json.Unmarshal(text, &b); err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		if !slices.ContainsFunc(b.Components, func(c component) bool { return c.Name == m.Path && c.Version == m.Version && len(c.Hashes) == 1 }) {
			t.Errorf("the bill lacks %s %s", m.Path, m.Version)
		}
	}
	if !slices.ContainsFunc(b.Components, func(c component) bool { return strings.HasPrefix(c.URL, "pkg:npm/preact@") }) {
		t.Error("the bill lacks the page's packages")
	}
}

// TestCommit: a binary that says another commit than the plan's, or none, is no
// release.
func TestCommit(t *testing.T) {
	itself, err := os.Executable() // a test's binary says none
	if err != nil {
		t.Fatal(err)
	}
	if err := (&Plan{}).checkCommit(itself); err != nil {
		t.Errorf("no commit asked for: %v", err)
	}
	if err := (&Plan{Commit: "7d9793f7876236f20e8a21a47970296249f3ed18"}).checkCommit(itself); err == nil {
		t.Error("a binary without a commit is taken")
	}
}

// TestURL: package URLs are escaped as the specification says.
func TestURL(t *testing.T) {
	for want, p := range map[string]part{
		"pkg:golang/github.com/google/flatbuffers@v23.5.26%2Bincompatible": {kind: "golang", name: "github.com/google/flatbuffers", version: "v23.5.26+incompatible"},
		"pkg:npm/%40observablehq/plot@0.6.17":                              {kind: "npm", name: "@observablehq/plot", version: "0.6.17"},
	} {
		if got := p.url(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestModulesOfPlatforms: a module that only one platform's binary has is found
// from any other.
func TestModulesOfPlatforms(t *testing.T) {
	p := &Plan{Source: source}
	for _, platform := range Platforms() {
		folders, err := p.moduleFolders(t.Context(), platform)
		if err != nil {
			t.Fatal(err)
		}
		const only = "github.com/ncruces/go-strftime" // of SQLite's C library on macOS
		if _, has := folders[only]; has != (platform.OS == "darwin") {
			t.Errorf("%v has %s: %v", platform, only, has)
		}
	}
}
