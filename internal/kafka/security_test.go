package kafka_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/logtest"
	"rollcall/internal/tlsfile"
)

func TestLoginRefuses(t *testing.T) {
	if _, err := kafka.Login("gssapi", "me", "hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("an unknown mechanism: %v", err)
	}
	if _, err := kafka.Login("scram-sha-256", "me", "hunter\x002"); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("a password that SCRAM can't carry: %v", err)
	}
}

// TestSecureKafka writes and reads over TLS, logged in by each mechanism; a
// wrong password, a stranger's certificate and plain TCP are refused.
func TestSecureKafka(t *testing.T) {
	const user, password = "rollcall", "s3cret-of-tests"
	server := engines.SecureKafka(t, user, password)
	trusting, err := tlsfile.Client{Authorities: server.Authority()}.Config()
	if err != nil {
		t.Fatal(err)
	}
	emptyCluster(t, server.Addr()) // by the plain listener
	for _, mechanism := range []string{"plain", "scram-sha-256", "scram-sha-512"} {
		t.Run(mechanism, func(t *testing.T) {
			login, err := kafka.Login(mechanism, user, password)
			if err != nil {
				t.Fatal(err)
			}
			passEvent(t, kafka.Dial([]string{server.SecureAddr()}, kafka.Security{TLS: trusting, SASL: login}), mechanism)
		})
	}
	system, err := tlsfile.Client{}.Config()
	if err != nil {
		t.Fatal(err)
	}
	good, err := kafka.Login("scram-sha-512", user, password)
	if err != nil {
		t.Fatal(err)
	}
	bad, err := kafka.Login("scram-sha-512", user, "wrong")
	if err != nil {
		t.Fatal(err)
	}
	for name, secure := range map[string]kafka.Security{
		"wrong password":    {TLS: trusting, SASL: bad},
		"no login":          {TLS: trusting},
		"unknown authority": {TLS: system, SASL: good},
		"plain TCP":         {SASL: good},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			c := kafka.Dial([]string{server.SecureAddr()}, secure)
			defer c.Close()
			err := c.Reachable(ctx)
			if err == nil || strings.Contains(err.Error(), password) {
				t.Fatalf("reached: %v", err)
			}
		})
	}
}

// passEvent appends an event and reads it back as a member of a group.
func passEvent(t *testing.T, c *kafka.Cluster, group string) {
	t.Helper()
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.EnsureTopics(ctx, logtest.Partitions); err != nil {
		t.Fatal(err)
	}
	w := kafka.NewWriter(c, kafka.WriterOptions{Options: kafka.Options{Now: logtest.Now}})
	e := rollcall.Event{
		Group: rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1},
		Time:  logtest.Now(), Visitor: 1,
	}
	if err := w.Append(ctx, rollcall.BatchOf(e)); err != nil {
		t.Fatal(err)
	}
	s, err := kafka.NewSource(c, "group-"+group, kafka.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for {
		b, err := s.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(ctx, rollcall.Offsets{b.Partition: b.Next}); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 0 {
			break
		}
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
