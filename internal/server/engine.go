package server

import (
	"fmt"
	"net/url"
	"os"
	"strings"
)

// UsageError is a command line that can't be carried out as written.
type UsageError struct{ Err error }

// Error gives the error's own text.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap gives the error.
func (e UsageError) Unwrap() error { return e.Err }

// Engine says where the log and the store are: in a folder, embedded, or on a
// cluster. The same flags everywhere.
type Engine struct {
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
func (e *Engine) AfterApply() error {
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
func (e *Engine) onCluster() bool { return len(e.Brokers) > 0 || e.Clickhouse != "" }

// check refuses flags that can't be meant.
func (e *Engine) check() error {
	for _, b := range e.Brokers {
		if host, port, ok := strings.Cut(b, ":"); !ok || host == "" || port == "" {
			return UsageError{Err: fmt.Errorf("--brokers %q: want HOST:PORT", b)}
		}
	}
	if e.Clickhouse == "" {
		return nil
	}
	if err := checkAddress("--clickhouse", e.Clickhouse); err != nil {
		return err
	}
	_, err := e.clickhouseOptions() // a file that isn't there is said before anything is waited for
	return err
}

// checkAddress refuses what is no address of ClickHouse, and does not print it:
// a password may be in it.
func checkAddress(flag, address string) error {
	dsn, err := url.Parse(address)
	if err != nil || dsn.Scheme != "clickhouse" || dsn.Host == "" {
		return UsageError{Err: fmt.Errorf("%s: want clickhouse://USER@HOST:PORT/DATABASE", flag)}
	}
	return nil
}
