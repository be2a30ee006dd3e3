package delivery

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// secretText is whsec_ and 24 bytes.
const secretText = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// file writes a text for this test.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOptionsRefused(t *testing.T) {
	secret, password := file(t, secretText), file(t, "hunter2")
	full := func(change func(o *Options)) Options {
		o := Options{
			CloseDay: 10, CloseTime: "06:00", CloseStatus: "preliminary", MinEfficiency: 70, ExportDir: t.TempDir(),
			Webhook: []string{"https://example.org/hidden", "http://user:hidden@127.0.0.1:9/"}, WebhookSecretFile: secret,
			MailTo: []string{"a@example.org", "B <b@example.org>"}, SMTP: "smtp://rollcall@example.org", SMTPPasswordFile: password,
		}
		change(&o)
		return o
	}
	o := full(func(*Options) {})
	p, err := o.Plan()
	if err != nil || len(p.destinations) != 5 {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, d := range p.destinations {
		if text := d.name + d.shown; strings.Contains(text, "hidden") {
			t.Errorf("%s shows what may be secret", text)
		}
	}
	for name, tt := range map[string]struct {
		change func(o *Options)
		want   string
	}{
		"day":              {func(o *Options) { o.CloseDay = 32 }, "--close-day 32"},
		"negative day":     {func(o *Options) { o.CloseDay = -1 }, "--close-day -1"},
		"no day":           {func(o *Options) { o.CloseDay = 0; o.ExportDir, o.Webhook, o.SMTP = "", nil, "" }, "--mail-to needs --close-day"},
		"time":             {func(o *Options) { o.CloseTime = "24:00" }, `--close-time "24:00"`},
		"efficiency":       {func(o *Options) { o.MinEfficiency = 101 }, "--min-efficiency 101"},
		"a file to export": {func(o *Options) { o.ExportDir = secret }, "is not a folder"},
		"no secret":        {func(o *Options) { o.WebhookSecretFile = "" }, "--webhook needs --webhook-secret-file"},
		"no file":          {func(o *Options) { o.WebhookSecretFile = secret + "x" }, "--webhook-secret-file: open"},
		"empty secrets":    {func(o *Options) { o.WebhookSecretFile = file(t, "# none\n\n") }, "there is no secret in it"},
		"short secret":     {func(o *Options) { o.WebhookSecretFile = file(t, "\nwhsec_aGlkZGVu\n") }, "line 2 is not"},
		"bare secret":      {func(o *Options) { o.WebhookSecretFile = file(t, strings.TrimPrefix(secretText, "whsec_")) }, "line 1 is not"},
		"another's secret": {func(o *Options) { o.WebhookSecretFile = file(t, secretText+" https://example.com/") }, "has no secret for the webhook at example.org"},
		"no URL":           {func(o *Options) { o.Webhook = []string{"hidden.example.org"} }, "the URL at place 1"},
		"ftp":              {func(o *Options) { o.Webhook = []string{"https://a/", "ftp://hidden/"} }, "the URL at place 2"},
		"URL twice":        {func(o *Options) { o.Webhook = []string{"https://a/", "https://a/"} }, "is there twice"},
		"no server":        {func(o *Options) { o.SMTP = "" }, "--mail-to needs --smtp"},
		"no mail URL":      {func(o *Options) { o.SMTP = "mail.example.org:25" }, "--smtp: is not a URL"},
		"open password":    {func(o *Options) { o.SMTP = "smtp://rollcall:hidden@example.org" }, "has a password in it"},
		"user alone":       {func(o *Options) { o.SMTPPasswordFile = "" }, "go together"},
		"password alone":   {func(o *Options) { o.SMTP = "smtp://example.org" }, "go together"},
		"port":             {func(o *Options) { o.SMTP = "smtp://rollcall@example.org:70000" }, "its port is none"},
		"authorities":      {func(o *Options) { o.DeliveryCA = secret }, "--delivery-ca: authorities"},
		"from":             {func(o *Options) { o.MailFrom = "rollcall" }, "--mail-from"},
		"to":               {func(o *Options) { o.MailTo = []string{"a@example.org, b@example.org"} }, "--mail-to"},
		"to twice":         {func(o *Options) { o.MailTo = []string{"a@example.org", "A <a@example.org>"} }, "is there twice"},
	} {
		o := full(tt.change)
		if _, err := o.Plan(); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "aGlkZGVu") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSecretsOfURLs: a URL's own secrets are used, and the general ones for the
// rest; of several each signs.
func TestSecretsOfURLs(t *testing.T) {
	other := "whsec_" + strings.Repeat("QUJD", 8)
	o := Options{Webhook: []string{"https://a/", "https://b/"}, WebhookSecretFile: file(t, "# now and then\n"+secretText+"\n"+other+"\r\n"+other+"  https://b/\n")}
	all, err := readSecrets(o.WebhookSecretFile)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := all.of("https://a/"), all.of("https://b/"); len(a) != 2 || len(b) != 1 || string(b[0]) != strings.Repeat("ABC", 8) {
		t.Errorf("%q and %q", a, b)
	}
	signed := (&webhook{secrets: all.of("https://a/")}).sign("id", "1", []byte("{}"))
	if words := strings.Fields(signed); len(words) != 2 || !strings.HasPrefix(words[0], "v1,") || !strings.HasPrefix(words[1], "v1,") || words[0] == words[1] {
		t.Errorf("signed by two: %q", signed)
	}
}
