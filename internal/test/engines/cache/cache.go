// Package cache says where the engines that the tests run against are kept on
// this machine: an Apache Kafka, a Kafka Connect, a ClickHouse, a Synapse, and a Python
// with the libraries that read what Rollcall exports, each in a folder named by its
// version that is either complete or absent.
package cache

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The versions that the tests run against. Their checksums are in package
// fetch.
const (
	KafkaVersion      = "4.1.1"
	ClickHouseVersion = "26.7.3-stable.1"
	ReadersVersion    = "3" // of the list of libraries, readers.txt in package fetch
	SynapseVersion    = "1.163.2"
)

// Env names the environment variable that overrides the folder.
const Env = "ROLLCALL_ENGINES_DIR"

// Dir is a folder that holds engines.
type Dir string

// Find gives the folder named by ROLLCALL_ENGINES_DIR, or else build/engines in
// the module that the working folder is in. It need not exist.
func Find() (Dir, error) {
	if dir := os.Getenv(Env); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return "", fmt.Errorf("find engines in %s=%s: %w", Env, dir, err)
		}
		return Dir(abs), nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", fmt.Errorf("find engines: %w", err)
	}
	return Dir(filepath.Join(root, "build", "engines")), nil
}

// moduleRoot climbs from the working folder to the one that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || parent == dir {
			return "", fmt.Errorf("look for go.mod: %w", err)
		}
		dir = parent
	}
}

// KafkaJars is the folder of Apache Kafka's jars.
func (d Dir) KafkaJars() string {
	return filepath.Join(string(d), "kafka-"+KafkaVersion)
}

// ConnectPlugins is the folder of connectors in that of Kafka Connect.
const ConnectPlugins = "plugins"

// ConnectJars is the folder of Kafka Connect's jars.
func (d Dir) ConnectJars() string {
	return filepath.Join(string(d), "connect-"+KafkaVersion)
}

// ClickHouse is the folder of libchdb.so.
func (d Dir) ClickHouse() string {
	return filepath.Join(string(d), "clickhouse-"+ClickHouseVersion)
}

// Library is the path of libchdb.so, which holds all of ClickHouse.
func (d Dir) Library() string {
	return filepath.Join(d.ClickHouse(), "libchdb.so")
}

// Readers is the folder of a Python environment.
func (d Dir) Readers() string {
	return filepath.Join(string(d), "readers-"+ReadersVersion)
}

// Python is the environment's interpreter.
func (d Dir) Python() string {
	return filepath.Join(d.Readers(), "bin", "python")
}

// Synapse is the folder of a Python environment that has Synapse.
func (d Dir) Synapse() string {
	return filepath.Join(string(d), "synapse-"+SynapseVersion)
}

// SynapsePython is the interpreter that finds Synapse.
func (d Dir) SynapsePython() string {
	return filepath.Join(d.Synapse(), "bin", "python")
}

// Present reports whether path is there. For the folders above that means
// complete, since Fill makes them in one step.
func Present(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Fill makes folder by calling fill on an empty one beside it and renaming that
// once fill has succeeded, so that an interrupted fill is never taken for a
// complete one. If folder is there already, or another process makes it
// meanwhile, that one is kept.
func Fill(folder string, fill func(partial string) error) error {
	if Present(folder) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return fmt.Errorf("fill %s: %w", folder, err)
	}
	partial, err := os.MkdirTemp(filepath.Dir(folder), ".partial-")
	if err != nil {
		return fmt.Errorf("fill %s: %w", folder, err)
	}
	defer func() { _ = os.RemoveAll(partial) }() // nothing is left there after the rename
	if err := fill(partial); err != nil {
		return fmt.Errorf("fill %s: %w", folder, err)
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return fmt.Errorf("fill %s: %w", folder, err)
	}
	if err := os.Rename(partial, folder); err != nil && !Present(folder) {
		return fmt.Errorf("fill %s: %w", folder, err)
	}
	return nil
}
