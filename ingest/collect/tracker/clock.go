package tracker

import (
	"time"

	"rollcall/ingest"
)

// clock is what a call says of its time, by the clock of the device.
type clock struct {
	at    string // when it happened; "": when it was received
	sent  string // when it was sent; "": as its body was
	right bool   // whoever sent it on has corrected it
}

func (c *call) clock() clock {
	if c.Timestamp != "" && lenient(c.ReceivedAt) != "" {
		return clock{at: c.Timestamp, right: true}
	}
	if c.OriginalTimestamp != "" {
		return clock{at: c.OriginalTimestamp, sent: lenient(c.SentAt)}
	}
	return clock{at: c.Timestamp, sent: lenient(c.SentAt)}
}

// transit is how long a body may be under way before its sender's clock is held to
// be wrong. Clients try again with the body as it was: so a body that is sent twice
// says the same minute.
const transit = time.Minute

// when puts the time, and until, into f: receivedAt - (sentAt - originalTimestamp),
// as Segment has it. The error is an Invalid.
func (r *Request) when(f *ingest.Fields, b *Body, c clock) error {
	at := r.Received
	if c.at != "" {
		var err error
		if at, err = ingest.ParseTime("timestamp", c.at); err != nil {
			return err
		}
	}
	sent, err := ingest.ParseTime("sentAt", c.sent)
	if err != nil {
		sent = b.sent
	}
	skew := r.Received.Sub(sent)
	if c.at == "" || c.right || b.Past || sent.IsZero() || skew.Abs() < transit {
		skew = 0
	}
	f.Time = at.Add(skew).UTC().Format(time.RFC3339Nano)
	if f.Until == "" {
		return nil
	}
	until, err := ingest.ParseTime("until", f.Until)
	if err != nil {
		return err
	}
	f.Until = until.Add(skew).UTC().Format(time.RFC3339Nano)
	return nil
}
