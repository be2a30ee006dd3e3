package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"rollcall"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// Login names a user to the brokers by a SASL mechanism: "plain",
// "scram-sha-256" or "scram-sha-512". The error never has the password.
func Login(mechanism, user, password string) (sasl.Mechanism, error) {
	switch mechanism {
	case "plain":
		return plain.Mechanism{Username: user, Password: password}, nil
	case "scram-sha-256":
		return scrambled(scram.SHA256, user, password)
	case "scram-sha-512":
		return scrambled(scram.SHA512, user, password)
	}
	return nil, &rollcall.Invalid{Field: "sasl", Value: mechanism, Reason: "is not plain, scram-sha-256 or scram-sha-512", Code: "sasl"}
}

func scrambled(algorithm scram.Algorithm, user, password string) (sasl.Mechanism, error) {
	m, err := scram.Mechanism(algorithm, user, password)
	if err != nil {
		return nil, &rollcall.Invalid{Field: "sasl", Value: algorithm.Name(), Reason: "can't carry this user or password", Code: "sasl"}
	}
	return m, nil
}

// Certificates are PEM files: the authorities to trust, the system's where
// empty, and the client's own, if the brokers ask for one.
type Certificates struct {
	Authorities string
	Own, Key    string
}

// TLS reads the certificates.
func (c Certificates) TLS() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Authorities != "" {
		text, err := os.ReadFile(c.Authorities)
		if err != nil {
			return nil, fmt.Errorf("kafka: authorities: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("kafka: authorities: %s has no certificate: %w", c.Authorities, rollcall.ErrInvalid)
		}
	}
	if c.Own == "" && c.Key == "" {
		return config, nil
	}
	own, err := tls.LoadX509KeyPair(c.Own, c.Key)
	if err != nil {
		return nil, fmt.Errorf("kafka: own certificate: %w", err)
	}
	config.Certificates = []tls.Certificate{own}
	return config, nil
}
