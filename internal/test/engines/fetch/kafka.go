package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"rollcall/internal/test/engines/cache"
)

// pom names Apache Kafka and the log library that its broker needs.
//
//go:embed pom.xml
var pom []byte

// kafkaSums is "sha256sum *.jar" of the folder that pom gives, to be made anew
// when pom changes.
//
//go:embed kafka.sum
var kafkaSums string

// connectPom names Kafka Connect, its files' connector and the log library.
//
//go:embed connect.pom.xml
var connectPom []byte

// connectSums is to connectPom what kafkaSums is to pom.
//
//go:embed connect.sum
var connectSums string

// kafka copies the jars of Apache Kafka to partial.
func kafka(ctx context.Context, partial string) error {
	return jars(ctx, partial, pom, kafkaSums)
}

// connect copies the jars of Kafka Connect to partial, and its connector to the folder
// of plugins there, which Connect looks through by itself.
func connect(ctx context.Context, partial string) error {
	if err := jars(ctx, partial, connectPom, connectSums); err != nil {
		return err
	}
	plugins := filepath.Join(partial, cache.ConnectPlugins)
	if err := os.Mkdir(plugins, 0o755); err != nil {
		return err
	}
	name := "connect-file-" + cache.KafkaVersion + ".jar"
	return os.Rename(filepath.Join(partial, name), filepath.Join(plugins, name))
}

// jars copies the jars that a pom names, and those they need, to partial.
func jars(ctx context.Context, partial string, pom []byte, sums string) error {
	project, err := os.MkdirTemp("", "rollcall-kafka-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(project) }() // a folder in the temporary one, with a pom in it
	if err := os.WriteFile(filepath.Join(project, "pom.xml"), pom, 0o600); err != nil {
		return err
	}
	// -C: Maven only warns of a wrong checksum without it.
	err = command(ctx, project, "mvn", "-B", "-q", "-C", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+partial)
	if err != nil {
		return err
	}
	return checkSums(partial, sums)
}

// checkSums holds the files of dir against sums, lines of "SHA-256, two spaces,
// name": each must be there and match, and no other may be.
func checkSums(dir, sums string) error {
	want := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(sums)); lines.Scan(); {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		if !ok {
			return fmt.Errorf("read sums: line %q is not \"sum  name\"", lines.Text())
		}
		want[name] = sum
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("check sums: %w", err)
	}
	for _, file := range files {
		if err := checkFile(filepath.Join(dir, file.Name()), want[file.Name()]); err != nil {
			return err
		}
	}
	if len(files) != len(want) {
		return fmt.Errorf("check sums of %s: %d files, want %d", dir, len(files), len(want))
	}
	return nil
}

// checkFile holds one file against its SHA-256; an empty want is no match.
func checkFile(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("check sum: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("check sum: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != want {
		return fmt.Errorf("check sum of %s: got %s, want %q", path, got, want)
	}
	return nil
}
