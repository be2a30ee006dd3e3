package server

import (
	"crypto/tls"
	"fmt"
	"os"
	"strings"

	"rollcall/aggregate/hll"
	"rollcall/internal/clickhouse"
	"rollcall/internal/kafka"
	"rollcall/internal/tlsfile"
)

// kafkaFlags say how the brokers are spoken to. A password is better in the
// environment or in a file than on a command line, which others can read.
type kafkaFlags struct {
	Sasl         string `help:"How to log in: plain, scram-sha-256 or scram-sha-512." enum:",plain,scram-sha-256,scram-sha-512" default:"" placeholder:"MECHANISM"`
	User         string `help:"User to log in as."`
	Password     secret `help:"Password; better in $$ROLLCALL_KAFKA_PASSWORD or a file."`
	PasswordFile string `help:"File with the password." type:"path" placeholder:"FILE"`
	tlsFlags
	Partitions int `help:"Partitions of a topic that is not there yet." default:"12" placeholder:"N"`
}

// loginFlags say how ClickHouse is spoken to, beside its address. They go
// before what the address says.
type loginFlags struct {
	User         string `help:"User to log in as; the address's, or default, where absent."`
	Password     secret `help:"Password; better in $$ROLLCALL_CLICKHOUSE_PASSWORD or a file."`
	PasswordFile string `help:"File with the password." type:"path" placeholder:"FILE"`
	tlsFlags
}

// tlsFlags say whether TLS is spoken, and with which files. The server is
// verified, always.
type tlsFlags struct {
	TLS        bool   `help:"Speak TLS." name:"tls"`
	CA         string `help:"PEM file of the authorities to trust; the system's where absent." type:"path" placeholder:"FILE" name:"ca"`
	Cert       string `help:"PEM file of the client's certificate." type:"path" placeholder:"FILE"`
	Key        string `help:"PEM file of its key." type:"path" placeholder:"FILE"`
	ServerName string `help:"Name in the server's certificate, where it isn't the host's." placeholder:"NAME"`
}

// config reads the files; nil: no TLS. Whoever names one of them means TLS.
func (f *tlsFlags) config() (*tls.Config, error) {
	if *f == (tlsFlags{}) {
		return nil, nil
	}
	return tlsfile.Client{Authorities: f.CA, Own: f.Cert, Key: f.Key, ServerName: f.ServerName}.Config()
}

// secret is a text that is never printed.
type secret string

func (secret) String() string   { return "(secret)" }
func (secret) GoString() string { return "(secret)" }

// readPassword gives the file's password, or the other where there is no file.
func readPassword(file string, or secret) (string, error) {
	if file == "" {
		return string(or), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("password file: %w", err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// security reads what the flags name.
func (f *kafkaFlags) security() (s kafka.Security, err error) {
	if f.Sasl != "" {
		password, err := readPassword(f.PasswordFile, f.Password)
		if err != nil {
			return s, fmt.Errorf("kafka: %w", err)
		}
		if s.SASL, err = kafka.Login(f.Sasl, f.User, password); err != nil {
			return s, UsageError{Err: err}
		}
	}
	if s.TLS, err = f.config(); err != nil {
		return s, fmt.Errorf("kafka: %w", err)
	}
	return s, nil
}

// clickhouseOptions reads what the flags name.
func (e *Engine) clickhouseOptions() (opt clickhouse.Options, err error) {
	opt = clickhouse.Options{K: hll.DefaultK, Cluster: e.Cluster, Replicated: e.Replicated, User: e.Login.User}
	if opt.Password, err = readPassword(e.Login.PasswordFile, e.Login.Password); err == nil {
		opt.TLS, err = e.Login.config()
	}
	if err != nil {
		return clickhouse.Options{}, fmt.Errorf("clickhouse: %w", err)
	}
	return opt, nil
}
