package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"rollcall"
)

// engine says where the log and the store are: in a folder, embedded, or on a
// cluster. The same flags everywhere.
type engine struct {
	Data       string     `help:"Folder of the embedded log and store." default:"rollcall-data" type:"path" placeholder:"DIR"`
	Brokers    []string   `help:"The log on Kafka: some brokers." placeholder:"HOST:PORT"`
	Clickhouse string     `help:"The store on ClickHouse." placeholder:"clickhouse://USER@HOST:PORT/DATABASE"`
	DSNFile    string     `help:"File with what --clickhouse would say: a command line can be read by others." name:"clickhouse-file" type:"path" placeholder:"FILE"`
	Cluster    string     `help:"Spread the tables over this cluster of ClickHouse's remote_servers." name:"clickhouse-cluster" placeholder:"NAME"`
	Replicated bool       `help:"The cluster has a Keeper: replicate the tables." name:"clickhouse-replicated"`
	KeyFile    string     `help:"File of the pseudonyms' master key, in hexadecimal; or the key itself in $$ROLLCALL_KEY." type:"path" placeholder:"FILE"`
	Kafka      kafkaFlags `embed:"" prefix:"kafka-"`
	Login      loginFlags `embed:"" prefix:"clickhouse-"`
	Debug      bool       `help:"Log at debug level."`
}

// AfterApply reads the store's address where a file has it.
func (e *engine) AfterApply() error {
	if e.DSNFile == "" {
		return nil
	}
	text, err := os.ReadFile(e.DSNFile)
	if err != nil {
		return fmt.Errorf("--clickhouse-file: %w", err)
	}
	e.Clickhouse = strings.TrimSpace(string(text))
	return nil
}

// onCluster reports that log or store are others' than this process's.
func (e *engine) onCluster() bool { return len(e.Brokers) > 0 || e.Clickhouse != "" }

// check refuses flags that can't be meant.
func (e *engine) check() error {
	for _, b := range e.Brokers {
		if host, port, ok := strings.Cut(b, ":"); !ok || host == "" || port == "" {
			return usageError{fmt.Errorf("--brokers %q: want HOST:PORT", b)}
		}
	}
	if e.Clickhouse == "" {
		return nil
	}
	dsn, err := url.Parse(e.Clickhouse) // the error would print the password
	if err != nil || dsn.Scheme != "clickhouse" || dsn.Host == "" {
		return usageError{errors.New("--clickhouse: want clickhouse://USER@HOST:PORT/DATABASE")}
	}
	_, err = e.clickhouseOptions() // a file that isn't there is said before anything is waited for
	return err
}

// lock is the folder's one holder.
type lock struct{ file *os.File }

// errHeld says that another process holds the folder.
type errHeld struct {
	dir string
	pid string
}

func (e *errHeld) Error() string {
	return fmt.Sprintf("data folder %s is in use by process %s", e.dir, e.pid)
}

func (e *errHeld) Is(target error) bool { return target == rollcall.ErrConflict }

// hold makes the folder if need be and takes it, or says who has it.
func hold(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "rollcall.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("data folder %s: lock: %w", dir, err)
		}
		pid, _ := os.ReadFile(f.Name()) // unreadable: the holder stays unnamed
		return nil, &errHeld{dir: dir, pid: strings.TrimSpace(string(pid))}
	}
	l := &lock{file: f}
	if err := l.sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder %s: lock: %w", dir, err), l.release())
	}
	return l, nil
}

// sign writes the holder's process id.
func (l *lock) sign() error {
	if err := l.file.Truncate(0); err != nil {
		return err
	}
	_, err := l.file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// release lets the folder go; the file stays, since removing it would race.
func (l *lock) release() error { return l.file.Close() }
