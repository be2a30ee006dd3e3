package delivery

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"rollcall"
)

// mailTime is how long a mail server has to take one mail.
const mailTime = time.Minute

// mails are the destinations that are told by mail: one for each address, so
// that a wrong one is in no other's way.
func (o *Options) mails() (all []*destination, err error) {
	if len(o.MailTo) == 0 {
		return nil, nil
	}
	if o.SMTP == "" {
		return nil, errors.New("--mail-to needs --smtp: the mail server")
	}
	server, err := o.mailServer()
	if err != nil {
		return nil, err
	}
	from, err := netmail.ParseAddress(cmp.Or(o.MailFrom, server.sender()))
	if err != nil {
		return nil, fmt.Errorf("--mail-from %q: is not an address", o.MailFrom)
	}
	for _, text := range o.MailTo {
		to, err := netmail.ParseAddress(text)
		if err != nil {
			return nil, fmt.Errorf("--mail-to %q: is not an address", text)
		}
		mailer := &mailer{server: server, from: from, to: to}
		name := "mail " + nameOf(to.Address)
		if slices.ContainsFunc(all, func(d *destination) bool { return d.name == name }) {
			return nil, fmt.Errorf("--mail-to %q: is there twice", text)
		}
		all = append(all, &destination{name: name, kind: "mail", shown: "mail to " + to.Address, notices: true, timeout: mailTime, do: mailer.do})
	}
	return all, nil
}

// mailServer is where mails are handed in.
type mailServer struct {
	host           string
	port           int
	user, password string
	always         bool // TLS from the first byte on
	trust          *tls.Config
}

// mailServer reads the server's URL and the password's file.
func (o *Options) mailServer() (s mailServer, err error) {
	u, err := url.Parse(o.SMTP) // whose error would print all of it
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
		return s, errors.New("--smtp: is not a URL such as smtp://user@mail.example.org:587")
	}
	if _, given := u.User.Password(); given {
		return s, errors.New("--smtp: has a password in it, which others can read: put it into a file, and name that with --smtp-password-file")
	}
	s = mailServer{host: u.Hostname(), user: u.User.Username(), always: u.Scheme == "smtps"}
	if (s.user == "") != (o.SMTPPasswordFile == "") {
		return s, errors.New("--smtp-password-file and a user in --smtp go together")
	}
	if s.user != "" {
		text, err := os.ReadFile(o.SMTPPasswordFile)
		if err != nil {
			return s, fmt.Errorf("--smtp-password-file: %w", err)
		}
		s.password = strings.TrimRight(string(text), "\r\n")
	}
	if s.trust, err = o.trust(); err != nil {
		return s, err
	}
	s.trust.ServerName = s.host
	s.port = s.usualPort()
	if text := u.Port(); text != "" {
		if s.port, err = strconv.Atoi(text); err != nil || s.port < 1 || s.port > 65535 {
			return s, errors.New("--smtp: its port is none")
		}
	}
	return s, nil
}

// usualPort is the one of servers that are spoken to like this one.
func (s *mailServer) usualPort() int {
	const relay, submission, submissions = 25, 587, 465
	switch {
	case s.always:
		return submissions
	case s.user != "":
		return submission
	}
	return relay
}

// sender is who mails are from unless it is said: the user, where that is an
// address.
func (s *mailServer) sender() string {
	switch {
	case strings.Contains(s.user, "@"):
		return s.user
	case net.ParseIP(s.host) != nil:
		return "rollcall@localhost"
	}
	return "rollcall@" + s.host
}

// client speaks to the server. Who has a password shows it under TLS only;
// otherwise TLS is used where the server has it.
func (s *mailServer) client() (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(s.port), mail.WithTimeout(mailTime), mail.WithTLSPolicy(mail.TLSOpportunistic), mail.WithTLSConfig(s.trust)}
	if s.always {
		options = append(options, mail.WithSSL())
	}
	if s.user != "" {
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory), mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(s.user), mail.WithPassword(s.password))
	}
	return mail.NewClient(s.host, options...)
}

// mailer writes to one address.
type mailer struct {
	server   mailServer
	from, to *netmail.Address
}

func (w *mailer) do(ctx context.Context, s *Schedule, d rollcall.Delivery) error {
	m, err := s.message(ctx, d)
	if err != nil {
		return err
	}
	letter, err := w.letter(ctx, m)
	if err != nil {
		return err
	}
	client, err := w.server.client()
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, letter)
}

// letter writes the mail. Its Message-ID is that of every mail of the same.
func (w *mailer) letter(ctx context.Context, m *message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	letter.FromMailAddress(w.from)
	letter.ToMailAddress(w.to)
	letter.SetMessageIDWithValue(m.id + "@" + domain(w.from.Address))
	letter.SetDateWithValue(m.schedule.Now())
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.publication.Version == 0 {
		said := m.refusal()
		letter.Subject(said.subject)
		letter.SetBodyString(mail.TypeTextPlain, said.text)
		return letter, nil
	}
	month, err := m.month(ctx)
	if err != nil {
		return nil, err
	}
	said, err := m.closed(month)
	if err != nil {
		return nil, err
	}
	letter.Subject(said.subject)
	letter.SetBodyString(mail.TypeTextPlain, said.text)
	letter.AddAlternativeString(mail.TypeTextHTML, said.html)
	var workbook bytes.Buffer
	if err := month.Workbook(&workbook); err != nil {
		return nil, err
	}
	return letter, letter.AttachReader(month.FolderName()+".xlsx", &workbook,
		mail.WithFileContentType("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))
}

func domain(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
