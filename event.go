package rollcall

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Kind is what an event says of a visitor.
type Kind uint8

// The kinds. Only login, presence and use make cells and diaries.
const (
	Login       Kind = iota + 1 // a sign-on that the service accepted
	Presence                    // online: a heartbeat or an interval
	Use                         // in focus, or a message sent
	Logout                      // a sign-off; counts nothing
	LoginFailed                 // a refused sign-on; counts nothing
)

var kindNames = [...]string{Login: "login", Presence: "presence", Use: "use", Logout: "logout", LoginFailed: "login_failed"}

// ParseKind reads a kind's name.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if name == s && name != "" {
			return Kind(k), nil
		}
	}
	return 0, &Invalid{Field: "kind", Value: s, Reason: "is not login, presence, use, logout or login_failed", Code: "kind"}
}

// String gives the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) && k > 0 {
		return kindNames[k]
	}
	return "kind(" + strconv.Itoa(int(k)) + ")"
}

// Counts reports whether events of the kind make cells and diaries.
func (k Kind) Counts() bool { return k == Login || k == Presence || k == Use }

// Visitor is a keyed pseudonym of an account (census) or of a panelist.
type Visitor uint64

// String gives 16 hexadecimal digits.
func (v Visitor) String() string { return fmt.Sprintf("%016x", uint64(v)) }

// MarshalText writes String: JSON's numbers are too short for 64 bits.
func (v Visitor) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads String.
func (v *Visitor) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 16, 64)
	if err != nil {
		return &Invalid{Field: "visitor", Value: string(b), Reason: "is not 16 hexadecimal digits", Code: "visitor"}
	}
	*v = Visitor(n)
	return nil
}

// KeyID names the key that made a pseudonym; it is a hash of that key, and
// figures of two keys never mix.
type KeyID uint64

// String gives 16 hexadecimal digits.
func (k KeyID) String() string { return fmt.Sprintf("%016x", uint64(k)) }

// ParseKeyID reads 16 hexadecimal digits.
func ParseKeyID(s string) (KeyID, error) {
	k, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, &Invalid{Field: "key", Value: s, Reason: "is not 16 hexadecimal digits", Code: "key"}
	}
	return KeyID(k), nil
}

// Group is what a run of events has in common; a batch names it once.
type Group struct {
	Market   MarketID
	Service  ServiceID
	Location Location // one place
	Kind     Kind
	Panel    PanelID // empty for the census
	Key      KeyID

	// Of the census alone.
	Platform  Platform
	Segment   SegmentID
	Precision Precision
}

// Event is one thing seen of one visitor, pseudonymised and validated.
type Event struct {
	Group
	Time    time.Time
	Until   time.Time // zero: one minute
	Visitor Visitor
}

// Defaults are what a sender's events are of where they don't say, in the words
// that an event has for them. What is empty is no default.
type Defaults struct {
	Market   MarketID  `json:"market,omitempty"`
	Service  ServiceID `json:"service,omitempty"`
	Location string    `json:"location,omitempty"` // as ParseLocation reads it
	Kind     string    `json:"kind,omitempty"`     // as ParseKind reads it

	// Of the census alone.
	Segment  SegmentID `json:"segment,omitempty"`
	Platform string    `json:"platform,omitempty"` // as ParsePlatform reads it
}

// Validate refuses what no event may say.
func (d *Defaults) Validate() error {
	for field, id := range map[string]string{"market": string(d.Market), "service": string(d.Service), "segment": string(d.Segment)} {
		if id == "" {
			continue
		}
		if err := CheckID(field, id); err != nil {
			return err
		}
	}
	if d.Location != "" {
		if _, err := ParseLocation(d.Location); err != nil {
			return err
		}
	}
	if d.Kind != "" {
		if _, err := ParseKind(d.Kind); err != nil {
			return err
		}
	}
	platform, err := ParsePlatform(d.Platform)
	if err != nil {
		return err
	}
	return CheckDevice(platform, d.Segment)
}

// MaxEvent is the longest an event may be.
const MaxEvent = 24 * time.Hour

// Limits of an event's age against its log record's own timestamp, so that a
// replay decides as the first run did.
const (
	MaxAge   = 400 * 24 * time.Hour
	MaxAhead = 10 * time.Minute
	// MaxAheadDay is MaxAhead for what tells a day: the day begins elsewhere
	// before it does at the market.
	MaxAheadDay = 26 * time.Hour
)

// Age refuses a time older than MaxAge, or ahead by more than MaxAhead (or
// MaxAheadDay), of the record's timestamp.
func (e *Event) Age(record time.Time) error {
	const oldest, latest = -int64(MaxAge / time.Second), int64(MaxAhead / time.Second)
	if later := e.Time.Unix() - record.Unix(); later > oldest && later < latest && e.Until.IsZero() {
		return nil // as nearly all are, to the second: the rest is looked at more closely
	}
	ahead, words := MaxAhead, "is more than 10 minutes ahead"
	if e.Precision == ToDay {
		ahead, words = MaxAheadDay, "is a day more than 26 hours ahead"
	}
	if record.Sub(e.Time) > MaxAge {
		return &Invalid{Field: "time", Value: e.Time.Format(time.RFC3339), Reason: "is more than 400 days old", Code: "too_old"}
	}
	if e.Time.Sub(record) > ahead {
		return &Invalid{Field: "time", Value: e.Time.Format(time.RFC3339), Reason: words, Code: "future"}
	}
	if e.Until.Sub(record) > ahead {
		return &Invalid{Field: "until", Value: e.Until.Format(time.RFC3339), Reason: words, Code: "future"}
	}
	return nil
}

// Validate refuses an event that no figure could use: a bad id, place or kind,
// an until before time or beside a day, an interval over MaxEvent, a year
// outside 1990-2199.
func (e *Event) Validate() error {
	if err := e.Group.validate(); err != nil {
		return err
	}
	return e.ValidateTimes()
}

// ValidateTimes is the part of Validate that changes from one event of a group to
// the next.
func (e *Event) ValidateTimes() error {
	if e.Precision == ToDay && !e.Until.IsZero() {
		return &Invalid{Field: "until", Value: e.Until.Format(time.RFC3339), Reason: "stands beside precision day, which knows of no minute", Code: "until_of_day"}
	}
	return CheckInterval(e.Time, e.Until)
}

// InYears reports whether an instant is in the years 1990 to 2199, as those of all
// events are. The year itself takes longer to find.
func InYears(at time.Time) bool {
	const first, last = 631_152_000, 7_258_118_399 // in Unix seconds
	return at.Unix() >= first && at.Unix() <= last
}

// CheckInterval is the part of Validate that reads the event's times.
func CheckInterval(from, until time.Time) error {
	if !InYears(from) {
		return &Invalid{Field: "time", Value: from.Format(time.RFC3339), Reason: "is outside the years 1990 to 2199", Code: "time"}
	}
	if until.IsZero() {
		return nil
	}
	long := until.Sub(from)
	if long < 0 {
		return &Invalid{Field: "until", Value: until.Format(time.RFC3339), Reason: "is before time", Code: "until_before_time"}
	}
	if long > MaxEvent {
		return &Invalid{Field: "until", Value: until.Format(time.RFC3339), Reason: "is more than 24 hours after time", Code: "too_long"}
	}
	return nil
}

func (g *Group) validate() error {
	if err := CheckID("market", string(g.Market)); err != nil {
		return err
	}
	if err := CheckID("service", string(g.Service)); err != nil {
		return err
	}
	if !g.Location.One() {
		return &Invalid{Field: "location", Value: g.Location.String(), Reason: "is not one place", Code: "location"}
	}
	if g.Kind < Login || g.Kind > LoginFailed {
		return &Invalid{Field: "kind", Value: g.Kind.String(), Reason: "is not a known kind", Code: "kind"}
	}
	if g.Panel == "" {
		return CheckDevice(g.Platform, g.Segment)
	}
	if g.Platform != NoPlatform || g.Segment != "" || g.Precision != ToMinute {
		return &Invalid{Field: "panel", Value: string(g.Panel), Reason: "stands beside a platform, a segment or a precision: those go with an account", Code: "panel_and_segment"}
	}
	return CheckID("panel", string(g.Panel))
}

// CheckDevice refuses a platform or a segment that no event may have.
func CheckDevice(platform Platform, segment SegmentID) error {
	if !platform.Known() {
		return &Invalid{Field: "platform", Value: platform.String(), Reason: "is not a known platform", Code: "platform"}
	}
	if segment == "" {
		return nil
	}
	if segment == None {
		return &Invalid{Field: "segment", Value: None, Reason: "is the word for no segment", Code: "segment"}
	}
	return CheckID("segment", string(segment))
}

// Minutes gives the UTC minutes that the event credits, [from, to): from
// floor(time) to floor(until - 1 ns); one minute where until is time or none.
// One that tells a day is of the day that its minute is of, and credits none.
func (e *Event) Minutes() (from, to UnixMinute) {
	from = MinuteOf(e.Time)
	if !e.Until.After(e.Time) {
		return from, from + 1
	}
	return from, MinuteOf(e.Until.Add(-1)) + 1
}

func quote(s string) string {
	const most = 80
	if len(s) > most {
		end := most
		for end > most-utf8.UTFMax && !utf8.RuneStart(s[end]) {
			end--
		}
		s = s[:end] + "..."
	}
	return strconv.Quote(s)
}
