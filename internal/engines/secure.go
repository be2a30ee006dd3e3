package engines

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// SecureKafka is Kafka with a second listener, SecureAddr, that speaks TLS and
// wants the user and password by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Its
// certificate is signed by an authority of its own, in the PEM file Authority.
func SecureKafka(t testing.TB, user, password string) *KafkaServer {
	t.Helper()
	Require(t, KafkaEngine)
	ports := freePorts(t, 3)
	k := newKafka(t, ports[0])
	k.secure, k.ca = ports[2], filepath.Join(k.dir, "ca.pem")
	keystore := filepath.Join(k.dir, "server.pem")
	if err := writeCertificates(k.ca, keystore); err != nil {
		t.Fatal(err)
	}
	const login = "org.apache.kafka.common.security."
	k.run(ports[1], []string{
		fmt.Sprintf("listeners=PLAINTEXT://%s,SASL_SSL://%s,CONTROLLER://%s", address(ports[0]), address(ports[2]), address(ports[1])),
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
		"ssl.keystore.type=PEM",
		"ssl.keystore.location=" + keystore,
		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		fmt.Sprintf("listener.name.sasl_ssl.plain.sasl.jaas.config=%splain.PlainLoginModule required user_%s=%q;", login, user, password),
		fmt.Sprintf("listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=%sscram.ScramLoginModule required;", login),
		fmt.Sprintf("listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=%sscram.ScramLoginModule required;", login),
	},
		"--add-scram", fmt.Sprintf("SCRAM-SHA-256=[name=%s,password=%s]", user, password),
		"--add-scram", fmt.Sprintf("SCRAM-SHA-512=[name=%s,password=%s]", user, password))
	return k
}

// SecureAddr is the "host:port" of the secure listener.
func (k *KafkaServer) SecureAddr() string { return address(k.secure) }

// Authority is the PEM file of the authority that signed the server's certificate.
func (k *KafkaServer) Authority() string { return k.ca }

// writeCertificates makes an authority, and a key and certificate for
// 127.0.0.1, which it signs.
func writeCertificates(authority, server string) error {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make an authority: %w", err)
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "rollcall tests"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caBytes, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return fmt.Errorf("make an authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	leafBytes, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, caKey)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	certificate := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	if err := os.WriteFile(authority, certificate(caBytes), 0o600); err != nil {
		return fmt.Errorf("write the authority: %w", err)
	}
	own := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyBytes})
	if err := os.WriteFile(server, append(append(own, certificate(leafBytes)...), certificate(caBytes)...), 0o600); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	return nil
}
