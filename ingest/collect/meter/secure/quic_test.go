package secure

import (
	"encoding/hex"
	"slices"
	"testing"
	"time"
)

// The keys of the RFCs' examples (9001 A.1, 9369 A.1) open what is sealed with
// them, whatever the order and the size of the CRYPTO frames.
func TestInitials(t *testing.T) {
	hello := BuildHello("chat.signal.org", nil, false)
	for name, number := range map[string]uint32{"version 1": quic1, "version 2": quic2} {
		for _, pieces := range []int{1, 2, 7} {
			q := new(Initials)
			packets := BuildInitials(number, []byte{0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08}, hello, pieces)
			for i := range packets {
				q.Feed(packets[(i+1)%len(packets)])
			}
			if !q.Found || q.Hello.Name != "chat.signal.org" {
				t.Errorf("%s in %d pieces: %+v", name, pieces, q)
			}
		}
	}
}

func TestKeys(t *testing.T) {
	id, _ := hex.DecodeString("8394c8f03e515708")
	for number, want := range map[uint32]string{quic1: "fa044b2f42a3fd3b46fb255c", quic2: "91f73e2351d8fa91660e909f"} {
		v, _ := versionOf(number)
		k, err := clientKeys(v, id)
		if err != nil || hex.EncodeToString(k.iv) != want {
			t.Errorf("version %x: iv %x, want %s: %v", number, k.iv, want, err)
		}
	}
}

func TestHelloOverRecordsAndSegments(t *testing.T) {
	hello := BuildHello("web.whatsapp.com", []string{"h2", "http/1.1"}, true)
	for _, record := range []int{20, 100, len(hello)} {
		for _, segment := range []int{1, 7, 4096} {
			r := new(HelloReader)
			for b := Record(hello, record); len(b) > 0; {
				n := min(segment, len(b))
				r.Feed(b[:n])
				b = b[n:]
			}
			if !r.Found || r.Hello.Name != "web.whatsapp.com" || len(r.Hello.ALPN) != 2 || !r.Hello.Hidden {
				t.Errorf("records of %d in segments of %d: %+v", record, segment, r)
			}
		}
	}
}

func FuzzHello(f *testing.F) {
	hello := BuildHello("a.example", []string{"h2"}, true)
	f.Add(hello)
	f.Add(Record(hello, 30))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := new(HelloReader)
		r.Feed(b)
		if h, ok := ParseHello(b); ok && len(h.Name) > nameMost {
			t.Error(h.Name)
		}
		Begins(b)
	})
}

func FuzzInitials(f *testing.F) {
	for _, number := range []uint32{quic1, quic2} {
		for _, p := range BuildInitials(number, []byte{1, 2, 3, 4, 5, 6, 7, 8}, BuildHello("a.example", nil, false), 2) {
			f.Add(p, p)
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		q := new(Initials)
		q.Feed(a)
		q.Feed(b)
		q.frames(a)
		if len(q.crypto) > cryptoMost {
			t.Error("too much is held")
		}
	})
}

// FuzzRecords: a handshake is over at the same time however its bytes are cut.
func FuzzRecords(f *testing.F) {
	f.Add(Record(BuildHello("a.example", nil, false), 30), uint8(3))
	f.Add([]byte("\x16\x03\x01\x00\x03abc\x14\x03\x03\x00\x01x\x17\x03\x03\x00\x02yy"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		var atOnce, inParts Records
		now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
		atOnce.Client(now, b)
		for part := range slices.Chunk(b, 1+int(size)) {
			inParts.Client(now, part)
		}
		if !atOnce.Over.Equal(inParts.Over) || atOnce.lost != inParts.lost {
			t.Errorf("at once %+v, in parts %+v", atOnce, inParts)
		}
	})
}
