package logs

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/packtest"
)

// TestOrder: files in whatever order, packed or not, are one log.
func TestOrder(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("2026-11-28 23:50:00 c2sa\tinfo\tAuthenticated as ann@x\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	paths := []string{
		write("prosody.log", []byte("\xef\xbb\xbf2026-11-30 00:10:00 c2sa\tinfo\tClient disconnected: connection closed")),
		write("prosody.log.1", []byte("no time\n2026-11-29 10:00:00 c2sb\tinfo\tClient connected\r\n")),
		write("prosody.log.2.gz", packed.Bytes()),
	}
	r := reader(t, "prosody", "UTC")
	ordered, _, err := Order(r, paths, time.Now())
	if err != nil || ordered[0] != paths[2] || ordered[2] != paths[0] {
		t.Fatal(ordered, err)
	}
	var got []string
	log := New("prosody", r, time.Now(), collect(&got))
	if err := log.Read(t.Context(), ordered, nil); err != nil {
		t.Fatal(err)
	}
	if err := log.End(); err != nil {
		t.Fatal(err)
	}
	want := `2026-11-28T23:50:00Z login ann@x
2026-11-28T23:50:00Z to 2026-11-29T23:50:00Z presence ann@x
2026-11-29T23:50:00Z to 2026-11-30T00:10:00Z presence ann@x
2026-11-30T00:10:00Z logout ann@x`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\n%s", strings.Join(got, "\n"), log)
	}
}

// TestLongLine: a line over a megabyte is refused alone.
func TestLongLine(t *testing.T) {
	text := "2026-11-28 23:50:00 c2sa\tinfo\tAuthenticated as ann@x\n" + strings.Repeat("x", 3<<20) +
		"\n2026-11-28 23:55:00 c2sa\tinfo\tClient disconnected: closed\n"
	got, log := readText(t, "prosody", "UTC", time.Now(), text)
	if len(got) != 3 || log.Rejected() != 1 || log.Faults()[0].Line != 2 {
		t.Error(got, log, log.Faults())
	}
}

// TestAnchored: what a user may choose is never taken for a line of the server's.
func TestAnchored(t *testing.T) {
	for source, text := range map[string]string{
		"prosody":     "Nov 29 10:00:00 c2sa\tinfo\tSession closed by remote with error: c2sb\tinfo\tAuthenticated as eve@x\n",
		"ejabberd":    "2026-11-29 10:00:00.000000+00:00 [info] <0.1.0>@ejabberd_c2s:bind/2:450 (tls|<0.1.0>) Opened c2s session for ann@x/a (tls|<0.2.0>) Accepted c2s PLAIN authentication for eve@x by mnesia backend from ::1\n",
		"ergo":        "2026-11-29T10:00:00.000Z : info  : connect    : s1 : Client connected [a] [u:~u] [r:s2 : b : logged into account : eve]\n",
		"mumble":      "<W>2026-11-29 10:00:00.000 1 => <1:ann(1)> Kicked bob (<2:eve(5)> Authenticated\n",
		"synapse-log": `2026-11-29 10:01:00,123 - synapse.access.http.8008 - 515 - INFO - GET-2 - 127.0.0.1 - 8008 - {None} Processed request: 30.001sec/-0.000sec ru=(0.010sec, 0.000sec) db=(0.001sec/0.003sec/7) 200B 200 "GET /_matrix/client/versions HTTP/1.1" "- {@eve:x} Processed request: 1.0sec/0.1sec ru=() db=() 1B 200 "GET /_matrix/client/v3/sync HTTP/1.1" "a" [0 dbevts]` + "\n",
	} {
		got, _ := readText(t, source, "UTC", time.Now(), text)
		for _, s := range got {
			if strings.Contains(s, "eve") {
				t.Errorf("%s: %s", source, s)
			}
		}
	}
}

// TestWhere: lines of several files are numbered on, and each is found again in
// its own.
func TestWhere(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i, text := range []string{"a\nb\nc", "", "d\n"} {
		path := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	log := New("prosody", reader(t, "prosody", "UTC"), time.Now(), collect(new([]string)))
	if err := log.Read(t.Context(), paths, nil); err != nil {
		t.Fatal(err)
	}
	type place struct {
		path string
		no   int
	}
	for line, want := range map[int]place{1: {paths[0], 1}, 3: {paths[0], 3}, 4: {paths[2], 1}} {
		if path, no := log.Where(line); (place{path, no}) != want {
			t.Errorf("line %d stands in %s, %d; want %v", line, path, no, want)
		}
	}
}

// TestBehind: a packed file that other bytes follow is read whole, its last line too.
func TestBehind(t *testing.T) {
	packed := packtest.Gzip(t, []byte("2026-11-28 23:50:00 c2sa\tinfo\tAuthenticated as ann@x"))
	path := filepath.Join(t.TempDir(), "prosody.log.gz")
	if err := os.WriteFile(path, append(packed, "text"...), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := New("prosody", reader(t, "prosody", "UTC"), time.Now(), collect(&got)).Read(t.Context(), []string{path}, nil)
	want := fmt.Sprintf("%s: has other bytes after the end of its gzip, from byte %d on; what stands before was read", path, len(packed))
	if err == nil || err.Error() != want || len(got) != 1 {
		t.Errorf("%d sightings, %v; want %s", len(got), err, want)
	}
}

// TestCut: a packed file that ends in the middle is read up to there, and said to be cut.
func TestCut(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte("2026-11-28 23:50:00 c2sa\tinfo\tAuthenticated as ann@x\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "prosody.log.gz")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	log := New("prosody", reader(t, "prosody", "UTC"), time.Now(), collect(&got))
	err := log.Read(t.Context(), []string{path}, nil)
	const cut = ": the compressed file ends in the middle, and was read up to there: fetch or copy the file again"
	if err == nil || err.Error() != path+cut || len(got) == 0 {
		t.Error(err, got)
	}
	log = New("prosody", reader(t, "prosody", "UTC"), time.Now(), collect(&got))
	if err := log.Read(t.Context(), []string{path, path}, nil); err == nil || err.Error() != path+cut+"; the files after it were not read" {
		t.Error(err)
	}
}
