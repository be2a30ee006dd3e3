package delivery

import (
	"crypto/tls"
	"fmt"
	"time"

	"rollcall"
	"rollcall/api/export"
	"rollcall/internal/tlsfile"
)

// Options are the flags of a process that closes months by the clock. All
// servers of a deployment are given the same.
type Options struct {
	CloseDay      int     `help:"Close each panel's last month on this day of the next one, or on that month's last day if it comes before; 0: never." placeholder:"DAY" default:"0"`
	CloseTime     string  `help:"Close when the market's clocks show this." default:"06:00" placeholder:"HH:MM"`
	CloseStatus   string  `help:"What the version is: preliminary or final." enum:"preliminary,final" default:"preliminary"`
	MinEfficiency float64 `help:"Close no month whose weights have less than so many percent of efficiency; tell so instead." default:"70" placeholder:"PERCENT"`
	ExportDir     string  `help:"Write the folder of each version that is closed so in this one." type:"path" placeholder:"DIR"`

	Webhook           []string `help:"Tell these of it by Standard Webhooks." placeholder:"URL"`
	WebhookSecretFile string   `help:"File of the webhooks' secrets, whsec_...: one a line, with a URL after it where it is that one's alone." type:"path" placeholder:"FILE"`

	MailTo           []string `help:"Tell these by mail, with the ranking and the workbook." placeholder:"ADDRESS"`
	MailFrom         string   `help:"Who the mails are from; the mail server's user, or rollcall at its host, where absent." placeholder:"ADDRESS"`
	SMTP             string   `help:"The mail server: smtp://USER@HOST:587, or smtps://." name:"smtp" placeholder:"URL"`
	SMTPPasswordFile string   `help:"File of the mail user's password." name:"smtp-password-file" type:"path" placeholder:"FILE"`
	DeliveryCA       string   `help:"PEM file of the authorities to trust with webhooks and mail, instead of the system's." name:"delivery-ca" type:"path" placeholder:"FILE"`
	DeliveryLocale   string   `help:"Language of folders and mails: en or fr." enum:"en,fr" default:"en"`
}

// Plan is what the options ask for, once they are read.
type Plan struct {
	day    int // of the month after
	clock  int // minutes past midnight that the market's clocks show
	status rollcall.PublicationStatus

	minEfficiency float64 // percent
	locale        export.Locale
	destinations  []*destination
}

// Plan reads the options and their files; nil: no month is closed by the clock.
// Its errors name the flag.
func (o *Options) Plan() (*Plan, error) {
	if o.CloseDay == 0 {
		return nil, o.withoutDay()
	}
	if o.CloseDay < 1 || o.CloseDay > 31 {
		return nil, fmt.Errorf("--close-day %d: is not a day of a month, 1 to 31", o.CloseDay)
	}
	at, err := time.Parse("15:04", o.CloseTime)
	if err != nil {
		return nil, fmt.Errorf("--close-time %q: is not a time such as 06:00", o.CloseTime)
	}
	if !(o.MinEfficiency >= 0 && o.MinEfficiency <= 100) {
		return nil, fmt.Errorf("--min-efficiency %g: is not 0 to 100 percent", o.MinEfficiency)
	}
	p := &Plan{
		day: o.CloseDay, clock: at.Hour()*60 + at.Minute(), status: rollcall.PublicationStatus(o.CloseStatus),
		minEfficiency: o.MinEfficiency, locale: export.Locale(o.DeliveryLocale),
	}
	for _, read := range []func() ([]*destination, error){o.folder, o.webhooks, o.mails} {
		some, err := read()
		if err != nil {
			return nil, err
		}
		p.destinations = append(p.destinations, some...)
	}
	return p, nil
}

// trust is whom receivers' certificates must be from.
func (o *Options) trust() (*tls.Config, error) {
	config, err := tlsfile.Client{Authorities: o.DeliveryCA}.Config()
	if err != nil {
		return nil, fmt.Errorf("--delivery-ca: %w", err)
	}
	return config, nil
}

// withoutDay refuses what means nothing where no month is closed by the clock.
func (o *Options) withoutDay() error {
	for _, f := range []struct {
		flag  string
		given bool
	}{
		{"--export-dir", o.ExportDir != ""}, {"--webhook", len(o.Webhook) > 0}, {"--mail-to", len(o.MailTo) > 0}, {"--smtp", o.SMTP != ""},
	} {
		if f.given {
			return fmt.Errorf("%s needs --close-day: the day that months are closed on", f.flag)
		}
	}
	return nil
}
