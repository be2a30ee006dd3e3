package tracker

import (
	"cmp"
	"strings"

	"github.com/segmentio/encoding/json"

	"rollcall"
	"rollcall/ingest"
)

// capture is one event of PostHog's.
type capture struct {
	Event      json.RawMessage `json:"event"`
	DistinctID json.RawMessage `json:"distinct_id"`
	UUID       json.RawMessage `json:"uuid"`
	Timestamp  string          `json:"timestamp"`
	Properties json.RawMessage `json:"properties"`
	Options    json.RawMessage `json:"options"`
}

// captured are the properties that PostHog's clients put in by themselves.
type captured struct {
	DistinctID json.RawMessage `json:"distinct_id"`
	DeviceID   json.RawMessage `json:"$device_id"`
	Identified json.RawMessage `json:"$is_identified"`
	Profile    json.RawMessage `json:"$process_person_profile"`
	DeviceType json.RawMessage `json:"$device_type"`
	Browser    json.RawMessage `json:"$browser"`
	Agent      json.RawMessage `json:"$raw_user_agent"`
}

// anonymous says that the distinct_id is of no account: the client says so, or it
// is the device's own.
func (c *captured) anonymous(who string) bool {
	return who == "" || string(c.Identified) == "false" || string(c.Profile) == "false" || who == lenient(c.DeviceID)
}

// capture makes PostHog's event an event's fields, or says why it is passed over:
// what its clients tell of themselves, such as $identify and $feature_flag_called,
// but for what somebody looks at. The error is an Invalid.
func (r *Request) capture(text []byte, b *Body) (f ingest.Fields, why string, err error) {
	var c capture
	if err := parse(text, &c); err != nil {
		return f, "", notCall(err)
	}
	name := lenient(c.Event)
	switch name {
	case "":
		return f, "", &rollcall.Invalid{Field: "event", Reason: "is missing", Code: "event_missing"}
	case "$pageview", "$pageleave", "$screen", "$autocapture":
		name = ""
	default:
		if strings.HasPrefix(name, "$") {
			return f, "internal", nil
		}
	}
	var own captured
	if isObject(c.Properties) {
		_ = parse(c.Properties, &own) // all of it is raw
	}
	if f.Account, err = account("distinct_id", rawOr(c.DistinctID, own.DistinctID)); err != nil {
		return f, "", err
	}
	if own.anonymous(f.Account) || c.cookieless() {
		return f, Anonymous, nil
	}
	if happened(name) {
		return f, Received, nil
	}
	f.ID = lenient(c.UUID)
	if err := say(&f, c.Properties, name); err != nil {
		return f, "", err
	}
	own.device(r, &f)
	return f, "", r.when(&f, b, clock{at: c.Timestamp})
}

// cookieless says that the newer form of the API calls the person unknown.
func (c *capture) cookieless() bool {
	var o struct {
		Profile json.RawMessage `json:"process_person_profile"`
	}
	return isObject(c.Options) && parse(c.Options, &o) == nil && string(o.Profile) == "false"
}

// device tells the platform where the properties don't.
func (c *captured) device(r *Request, f *ingest.Fields) {
	if f.Platform != "" {
		return
	}
	if lenient(c.Browser) != "" {
		f.Platform = rollcall.Web.String()
		return
	}
	platform := devices[strings.ToLower(lenient(c.DeviceType))]
	if agent := lenient(c.Agent); agent != "" && platform == rollcall.NoPlatform {
		platform = r.Platform(agent)
	}
	f.Platform = platform.Stored()
}

func rawOr(a, b json.RawMessage) json.RawMessage {
	return json.RawMessage(cmp.Or(string(a), string(b)))
}
