package folder_test

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"rollcall/api/export/folder"
)

func archive(t *testing.T, names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, name := range names {
		w, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = w.Write([]byte(name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func list(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWholeFolder(t *testing.T) {
	at := t.TempDir()
	dir := filepath.Join(at, "month")
	files, err := folder.Write(archive(t, "month/a.csv", "month/b.csv"), dir)
	if err != nil || files != 2 {
		t.Fatalf("%d files, %v", files, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "b.csv"))
	if err != nil || string(text) != "month/b.csv" || len(list(t, dir)) != 2 || len(list(t, at)) != 1 {
		t.Errorf("%q, %v, beside %v", text, err, list(t, at))
	}
	if _, err := folder.Write(archive(t, "month/c.csv"), dir); err == nil || len(list(t, dir)) != 2 || len(list(t, at)) != 1 {
		t.Errorf("written over: %v, %v", err, list(t, dir))
	}
}

// TestNoFolder: what can't be written whole leaves nothing behind.
func TestNoFolder(t *testing.T) {
	whole := archive(t, "month/a.csv", "month/b.csv")
	damaged := bytes.Replace(whole, []byte("month/b.csvmonth/b.csv"), []byte("month/b.csvmonth/X.csv"), 1)
	for name, b := range map[string][]byte{
		"no archive": []byte("PK"), "two of a name": archive(t, "month/a.csv", "other/a.csv"), "a folder above": archive(t, "month/.."), "damaged": damaged,
	} {
		at := t.TempDir()
		if _, err := folder.Write(b, filepath.Join(at, "month")); err == nil || len(list(t, at)) != 0 {
			t.Errorf("%s: %v, and %v", name, err, list(t, at))
		}
	}
}
