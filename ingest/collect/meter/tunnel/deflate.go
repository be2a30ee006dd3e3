package tunnel

import (
	"strconv"
	"strings"

	"rollcall/ingest/collect/meter/inflate"
	"rollcall/ingest/collect/meter/wire"
)

// Limits of packed messages (RFC 7692).
const (
	unpackedMost = 1 << 20  // unpacked bytes of a message that are read
	skippedMost  = 16 << 20 // and of longer ones, that later messages refer to
)

// deflating is what is agreed on for one direction.
type deflating struct {
	window int
	alone  bool // no message refers to an earlier one
}

// deflates reads from an answer whether messages may be packed, and how.
func deflates(answer *head) (d [2]deflating, ok bool) {
	for extension := range strings.SplitSeq(answer.list("sec-websocket-extensions"), ",") {
		name, parameters, _ := strings.Cut(extension, ";")
		if strings.EqualFold(strings.TrimSpace(name), "permessage-deflate") {
			return deflatingOf(parameters)
		}
	}
	return d, false
}

// deflatingOf reads the extension's parameters; false where one is not of it.
func deflatingOf(parameters string) (d [2]deflating, ok bool) {
	for side := range d {
		d[side].window = inflate.WindowMost
	}
	for parameter := range strings.SplitSeq(parameters, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		whose, what, _ := strings.Cut(strings.ToLower(strings.TrimSpace(key)), "_")
		side, sided := wire.Server, whose == "server" || whose == "client"
		if whose == "client" {
			side = wire.Client
		}
		bits, err := strconv.Atoi(strings.Trim(strings.TrimSpace(value), `"`))
		switch {
		case key == "":
		case sided && what == "no_context_takeover" && value == "":
			d[side].alone = true
		case sided && what == "max_window_bits" && err == nil && 8 <= bits && bits <= 15:
			d[side].window = 1 << max(bits, 9) // zlib takes 9 for 8
		default:
			return d, false
		}
	}
	return d, true
}

// tail is what a sender leaves off a packed message.
func tail() []byte { return []byte{0, 0, 0xFF, 0xFF} }

// unpacker unpacks the messages of one direction.
type unpacker struct {
	budget *inflate.Budget
	agreed deflating
	stream *inflate.Stream // nil where there was no message, or what they refer to is lost
	lost   bool            // what further messages refer to
	cut    bool            // the rest of the message is not read
	told   bool            // of that
	empty  bool            // the message has no bytes yet
	read   int             // unpacked bytes of the message
}

// begin begins a message.
func (u *unpacker) begin() {
	u.cut, u.told, u.empty, u.read = u.lost, false, true, 0
	switch {
	case u.lost || u.stream != nil:
	case u.agreed.alone:
		u.stream = inflate.New(u.agreed.window, unpackedMost+1, u.budget)
	default:
		u.stream = inflate.New(u.agreed.window, skippedMost, u.budget)
	}
}

// feed takes bytes of a message; hole says that from here on it is not read.
func (u *unpacker) feed(b []byte, to func([]byte) error) (hole bool) {
	u.empty = false
	if u.stream == nil {
		return u.tell()
	}
	err := u.stream.Feed(b, func(plain []byte) error {
		rest := max(0, unpackedMost-u.read)
		if u.read += len(plain); len(plain) > rest {
			u.cut, plain = true, plain[:rest]
		}
		if len(plain) == 0 {
			return nil
		}
		return to(plain)
	})
	if err != nil || u.cut && u.agreed.alone {
		u.forget()
	}
	return u.tell()
}

// tell reports, once a message, that the rest of it is not read.
func (u *unpacker) tell() bool {
	news := u.cut && !u.told
	u.told = u.cut
	return news
}

// end ends a message, its tail fed; hole says that it did not end there.
func (u *unpacker) end() (hole bool) {
	if u.stream != nil && !u.empty && !u.stream.Aligned() {
		u.forget()
	}
	if u.agreed.alone {
		u.release()
	}
	return u.tell()
}

// forget gives up the message, and with it what later ones refer to.
func (u *unpacker) forget() {
	u.release()
	u.cut, u.lost = true, !u.agreed.alone
}

// release lets go of what is held.
func (u *unpacker) release() {
	if u != nil {
		u.stream.Release()
		u.stream = nil
	}
}
