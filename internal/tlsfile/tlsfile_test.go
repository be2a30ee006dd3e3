package tlsfile_test

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall/internal/test/engines"
	"rollcall/internal/tlsfile"
)

func TestConfig(t *testing.T) {
	authority := engines.NewAuthority(t)
	own, key := authority.Sign("me")
	config, err := tlsfile.Client{Authorities: authority.File(), Own: own, Key: key, ServerName: "it"}.Config()
	if err != nil {
		t.Fatal(err)
	}
	if config.RootCAs == nil || len(config.Certificates) != 1 || config.ServerName != "it" ||
		config.MinVersion != tls.VersionTLS12 || config.InsecureSkipVerify {
		t.Errorf("the files give %+v", config)
	}
	system, err := tlsfile.Client{}.Config()
	if err != nil || system.RootCAs != nil || system.Certificates != nil || system.InsecureSkipVerify {
		t.Errorf("no files give %+v, %v", system, err)
	}
}

func TestConfigRefuses(t *testing.T) {
	authority := engines.NewAuthority(t)
	own, key := authority.Sign("me")
	_, another := authority.Sign("another")
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		of   tlsfile.Client
		want string
	}{
		"authorities that aren't there": {tlsfile.Client{Authorities: "nowhere.pem"}, "nowhere.pem"},
		"authorities of no kind":        {tlsfile.Client{Authorities: empty}, empty},
		"a certificate without a key":   {tlsfile.Client{Own: own}, own},
		"a key without a certificate":   {tlsfile.Client{Key: key}, key},
		"another's key":                 {tlsfile.Client{Own: own, Key: another}, another},
		"a key that is none":            {tlsfile.Client{Own: own, Key: empty}, empty},
	} {
		_, err := c.of.Config()
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
