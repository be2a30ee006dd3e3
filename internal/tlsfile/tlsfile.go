// Package tlsfile reads a client's side of TLS from PEM files: whom to trust,
// and who it is itself. The log and the store are both reached with it.
package tlsfile

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"rollcall"
)

// Client is what a client of TLS is given.
type Client struct {
	Authorities string // PEM file of the authorities to trust; empty: the system's
	Own, Key    string // PEM files of the client's certificate and its key; empty: none
	ServerName  string // the name in the server's certificate; empty: the host that is dialled
}

// Config reads the files. The server is always verified, and TLS 1.2 is the
// least that is spoken. The error names the file.
func (c Client) Config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.ServerName}
	if c.Authorities != "" {
		text, err := os.ReadFile(c.Authorities)
		if err != nil {
			return nil, fmt.Errorf("authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("authorities: %s has no certificate: %w", c.Authorities, rollcall.ErrInvalid)
		}
	}
	switch {
	case c.Own == "" && c.Key == "":
		return config, nil
	case c.Own == "" || c.Key == "":
		return nil, &rollcall.Invalid{Field: "own certificate", Value: c.Own + c.Key, Reason: "is a certificate without its key, or a key without its certificate", Code: "certificate_half"}
	}
	own, err := tls.LoadX509KeyPair(c.Own, c.Key)
	if err != nil {
		return nil, fmt.Errorf("own certificate %s with key %s: %w", c.Own, c.Key, err)
	}
	config.Certificates = []tls.Certificate{own}
	return config, nil
}
