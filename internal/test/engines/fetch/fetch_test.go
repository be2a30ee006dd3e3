package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/test/engines/cache"
)

func TestCheckSums(t *testing.T) {
	const sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" // of "x"
	tests := map[string]struct {
		files []string
		sums  string
		ok    bool
	}{
		"all match":     {[]string{"a", "b"}, sum + "  a\n" + sum + "  b\n", true},
		"one missing":   {[]string{"a"}, sum + "  a\n" + sum + "  b\n", false},
		"one unnamed":   {[]string{"a", "b"}, sum + "  a\n", false},
		"one differs":   {[]string{"a"}, strings.Replace(sum, "2", "3", 1) + "  a\n", false},
		"one exchanged": {[]string{"a", "b"}, sum + "  a\n" + sum + "  c\n", false},
		"no sums":       {[]string{"a"}, "a\n", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, file := range tt.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := checkSums(dir, tt.sums); (err == nil) != tt.ok {
				t.Fatalf("checkSums = %v; want ok %v", err, tt.ok)
			}
		})
	}
}

func TestUnpack(t *testing.T) {
	archive, sum := tgz(t, "package/lib.so", "the library")
	tests := map[string]struct {
		sum, name string
		ok        bool
	}{
		"as packed":   {sum, "package/lib.so", true},
		"wrong sum":   {strings.ToLower(sum), "package/lib.so", false},
		"not in it":   {sum, "package/other.so", false},
		"no sum":      {"", "package/lib.so", false},
		"not by base": {sum, "lib.so", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lib.so")
			err := unpack(archive, tt.sum, tt.name, path)
			got, _ := os.ReadFile(path)
			if (err == nil) != tt.ok || (string(got) == "the library") != tt.ok {
				t.Fatalf("unpack = %v, wrote %q; want ok %v", err, got, tt.ok)
			}
		})
	}
}

func TestPomsNameTheCachesVersion(t *testing.T) {
	for name, pom := range map[string][]byte{"pom.xml": pom, "connect.pom.xml": connectPom} {
		var project struct {
			Dependencies []struct {
				Group   string `xml:"groupId"`
				Version string `xml:"version"`
			} `xml:"dependencies>dependency"`
		}
		if err := xml.Unmarshal(pom, &project); err != nil {
			t.Fatal(err)
		}
		named := 0
		for _, d := range project.Dependencies {
			if d.Group != "org.apache.kafka" {
				continue
			}
			named++
			if d.Version != cache.KafkaVersion {
				t.Errorf("%s has %s, package cache %s", name, d.Version, cache.KafkaVersion)
			}
		}
		if named == 0 {
			t.Errorf("%s names no Apache Kafka", name)
		}
	}
}

// tgz packs one file and gives the archive's path and SHA-512 in base64.
func tgz(t *testing.T, name, content string) (path, sum string) {
	t.Helper()
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	files := tar.NewWriter(zipped)
	if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "pack.tgz")
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	digest := sha512.Sum512(packed.Bytes())
	return path, base64.StdEncoding.EncodeToString(digest[:])
}
