package engines

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// SecureKafka is Kafka with a second listener, SecureAddr, that speaks TLS and
// wants the user and password by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. Its
// certificate is signed by an authority of its own, in the PEM file Authority.
func SecureKafka(t testing.TB, user, password string) *KafkaServer {
	t.Helper()
	Require(t, KafkaEngine)
	ports := freePorts(t, 3)
	k := newKafka(t, ports[0])
	authority := NewAuthority(t)
	k.secure, k.ca = ports[2], authority.File()
	keystore := filepath.Join(k.dir, "server.pem")
	certificate, key := authority.Sign("kafka")
	join(t, keystore, key, certificate, k.ca)
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

// join writes the files one after the other.
func join(t testing.TB, to string, files ...string) {
	t.Helper()
	var all bytes.Buffer
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	if err := os.WriteFile(to, all.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}
