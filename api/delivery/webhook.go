package delivery

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall"
)

// webhookTime is how long a receiver has to answer.
const webhookTime = 15 * time.Second

// webhooks are the destinations that are told by Standard Webhooks.
func (o *Options) webhooks() (all []*destination, err error) {
	if len(o.Webhook) == 0 {
		return nil, nil
	}
	if o.WebhookSecretFile == "" {
		return nil, errors.New("--webhook needs --webhook-secret-file: receivers know by the signature who writes")
	}
	secrets, err := readSecrets(o.WebhookSecretFile)
	if err != nil {
		return nil, fmt.Errorf("--webhook-secret-file: %w", err)
	}
	trust, err := o.trust()
	if err != nil {
		return nil, err
	}
	for i, text := range o.Webhook {
		u, err := url.Parse(text) // whose error would print all of it
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("--webhook: the URL at place %d is not one such as https://example.org/hook", i+1)
		}
		own := secrets.of(text)
		if len(own) == 0 {
			return nil, fmt.Errorf("--webhook-secret-file: has no secret for the webhook at %s", u.Host)
		}
		hook := &webhook{url: text, secrets: own, client: client(trust)}
		name := "webhook " + nameOf(text)
		if slices.ContainsFunc(all, func(d *destination) bool { return d.name == name }) {
			return nil, fmt.Errorf("--webhook: the URL at place %d is there twice", i+1)
		}
		all = append(all, &destination{name: name, kind: "webhook", shown: u.Scheme + "://" + u.Host, notices: true, timeout: webhookTime, do: hook.do})
	}
	return all, nil
}

// nameOf names a destination whose address may be a secret.
func nameOf(address string) string {
	sum := sha256.Sum256([]byte(address))
	return hex.EncodeToString(sum[:8])
}

// secrets sign messages: those of one URL, and those of any, by the URL "".
type secrets map[string][][]byte

// of gives a URL's own secrets, or those of any.
func (s secrets) of(address string) [][]byte {
	if own := s[address]; len(own) > 0 {
		return own
	}
	return s[""]
}

// leastSecret is the least that a secret may have, in bytes, after Standard
// Webhooks.
const leastSecret = 24

// readSecrets reads lines of a secret, and a URL where it is that one's alone.
// Several are for a change of secrets: a message is signed by each. The errors
// name lines, and not what they hold.
func readSecrets(file string) (secrets, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	all := secrets{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		body, ok := strings.CutPrefix(words[0], "whsec_")
		secret, err := base64.StdEncoding.DecodeString(body)
		if !ok || err != nil || len(secret) < leastSecret || len(words) > 2 {
			return nil, fmt.Errorf("line %d is not whsec_ and base64 of %d bytes or more, and perhaps a URL", number, leastSecret)
		}
		address := strings.Join(words[1:], "")
		all[address] = append(all[address], secret)
	}
	if len(all) == 0 {
		return nil, errors.New("there is no secret in it")
	}
	return all, nil
}

// webhook is one receiver.
type webhook struct {
	url     string
	secrets [][]byte
	client  *http.Client
}

// client follows no redirect: the message is for the operator's own URL.
func client(trust *tls.Config) *http.Client {
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{TLSClientConfig: trust, Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10},
	}
}

func (w *webhook) do(ctx context.Context, s *Schedule, d rollcall.Delivery) error {
	m, err := s.message(ctx, d)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false) // paths are read by people, too
	if err := to.Encode(m.event()); err != nil {
		return err
	}
	body := bytes.TrimSpace(text.Bytes())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL is none") // its own error would print it
	}
	stamp := strconv.FormatInt(s.Now().Unix(), 10)
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {"Rollcall/" + s.Software},
		"Webhook-Id": {m.id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {w.sign(m.id, stamp, body)},
	}
	answer, err := w.client.Do(request)
	if err != nil {
		if e := new(url.Error); errors.As(err, &e) {
			err = e.Err // without the URL
		}
		return err
	}
	_ = answer.Body.Close() // unread, however long it is: the status says all
	return judge(answer.StatusCode)
}

// judge reads the receiver's word.
func judge(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusGone:
		return fmt.Errorf("the receiver answered %d: %w", status, errGone)
	case status >= 300 && status < 400:
		return fmt.Errorf("the receiver answered %d: redirects are not followed", status)
	}
	return fmt.Errorf("the receiver answered %d", status)
}

// sign gives a signature by each secret, as Standard Webhooks 1 has them: HMAC-
// SHA256 of the id, the seconds since 1970 and the body, with a full stop
// between.
func (w *webhook) sign(id, stamp string, body []byte) string {
	var all []string
	for _, secret := range w.secrets {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " ")
}
