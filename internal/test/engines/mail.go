package engines

import (
	_ "embed"
	"testing"
)

//go:embed mailserver.py
var mailServer string

// MailServer starts a mail server, aiosmtpd, on loopback, and gives its address.
// It writes the mails that it takes into a folder: NNN.eml; and who logged in
// into the file login. Mailboxes called nobody it has none, and while there is a
// file full there it takes nothing. how is plain, or starttls or tls with files of
// a certificate and its key; the only password is hunter2.
func MailServer(t testing.TB, folder, how string, certificate ...string) (address string) {
	t.Helper()
	return PythonServer(t, append([]string{"-c", mailServer, folder, how}, certificate...)...)
}
