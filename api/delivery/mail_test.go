package delivery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

// TestMailServers: who has a password shows it under TLS alone, to a server whose
// certificate is from whom it trusts; who has none writes to any server, by TLS
// where there is some.
func TestMailServers(t *testing.T) {
	authority := engines.NewAuthority(t)
	certificate, key := authority.Sign("localhost")
	stranger, itsKey := engines.NewAuthority(t).Sign("localhost")
	for name, tt := range map[string]struct {
		how, scheme, user, password string
		certificate                 []string
		taken, shown                bool   // the mail, the password
		want                        string // of the error
	}{
		"plain":                {"plain", "smtp", "", "", nil, true, false, ""},
		"starttls":             {"starttls", "smtp", "", "", []string{certificate, key}, true, false, ""},
		"tls":                  {"tls", "smtps", "", "", []string{certificate, key}, true, false, ""},
		"login by starttls":    {"starttls", "smtp", "rollcall@", "hunter2\n", []string{certificate, key}, true, true, ""},
		"login by tls":         {"tls", "smtps", "rollcall@", "hunter2", []string{certificate, key}, true, true, ""},
		"login in clear":       {"plain", "smtp", "rollcall@", "hunter2", nil, false, false, "STARTTLS"},
		"a stranger, starttls": {"starttls", "smtp", "rollcall@", "hunter2", []string{stranger, itsKey}, false, false, "certificate"},
		"a stranger, tls":      {"tls", "smtps", "rollcall@", "hunter2", []string{stranger, itsKey}, false, false, "certificate"},
		"the wrong password":   {"tls", "smtps", "rollcall@", "hunter3", []string{certificate, key}, false, true, "535"},
	} {
		t.Run(name, func(t *testing.T) {
			box := t.TempDir()
			address := engines.MailServer(t, box, tt.how, tt.certificate...)
			o := Options{SMTP: tt.scheme + "://" + tt.user + address, MailTo: []string{"analyst@example.org"}, DeliveryCA: authority.File()}
			if tt.user != "" {
				o.SMTPPasswordFile = file(t, tt.password)
			}
			err := send(scheduleWith(t, o), rollcall.Errand{Cause: "files"}, "it has no roster")
			if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter")) {
				t.Errorf("sending: %v", err)
			}
			if _, err := os.Stat(filepath.Join(box, "001.eml")); (err == nil) != tt.taken {
				t.Errorf("the mail: %v", err)
			}
			if login, err := os.ReadFile(filepath.Join(box, "login")); (err == nil) != tt.shown || tt.shown && !strings.HasPrefix(string(login), "rollcall hunter") {
				t.Errorf("the password: %q, %v", login, err)
			}
		})
	}
}
