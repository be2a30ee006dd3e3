package engines

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Authority signs certificates for a test, and is trusted by nobody else.
type Authority struct {
	t      testing.TB
	dir    string
	key    *ecdsa.PrivateKey
	own    *x509.Certificate
	serial int64 // of the last certificate
}

// NewAuthority makes an authority in the test's temporary folder.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{t: t, dir: t.TempDir(), key: newKey(t), serial: 1}
	now := time.Now()
	a.own = &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: "rollcall tests"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.write("ca.pem", "CERTIFICATE", a.certificate(a.own, a.key))
	return a
}

// File is the PEM file of the authority's own certificate.
func (a *Authority) File() string { return filepath.Join(a.dir, "ca.pem") }

// Sign makes a key and a certificate of the name and of 127.0.0.1, for servers
// and for clients, and gives their PEM files.
func (a *Authority) Sign(name string) (certificate, key string) {
	a.t.Helper()
	own := newKey(a.t)
	a.serial++
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial), Subject: pkix.Name{CommonName: name},
		DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: a.own.NotBefore, NotAfter: a.own.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	text, err := x509.MarshalPKCS8PrivateKey(own)
	if err != nil {
		a.t.Fatalf("make a key for %s: %v", name, err)
	}
	return a.write(name+".pem", "CERTIFICATE", a.certificate(leaf, own)), a.write(name+".key", "PRIVATE KEY", text)
}

// certificate signs one for the key.
func (a *Authority) certificate(of *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, of, a.own, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatalf("sign the certificate of %s: %v", of.Subject.CommonName, err)
	}
	return der
}

func (a *Authority) write(name, kind string, der []byte) (path string) {
	a.t.Helper()
	path = filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make a key: %v", err)
	}
	return key
}
