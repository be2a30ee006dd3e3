package ingest_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math/bits"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall"
	"rollcall/ingest"
)

func master() []byte {
	m := make([]byte, ingest.MasterSize)
	for i := range m {
		m[i] = byte(i)
	}
	return m
}

func keys(tb testing.TB) *ingest.Keys {
	tb.Helper()
	k, err := ingest.NewKeys(ingest.Master{Secret: master()})
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// account2002 is an account's pseudonym in 2002.
func account2002(tb testing.TB, k *ingest.Keys, service rollcall.ServiceID, account string) (rollcall.Visitor, rollcall.KeyID) {
	tb.Helper()
	v, id, err := k.Account(rollcall.Service{ID: service}, rollcall.DayOf(2002, time.October, 3), account)
	if err != nil {
		tb.Fatal(err)
	}
	return v, id
}

// panelist is the one pseudonym of a panelist.
func panelist(tb testing.TB, k *ingest.Keys, panel rollcall.PanelID, name string) (rollcall.Visitor, rollcall.KeyID) {
	tb.Helper()
	all := k.Panelist(panel, name)
	if len(all) != 1 || all[0].Lost {
		tb.Fatalf("the pseudonyms of a panelist are %v", all)
	}
	return all[0].Visitor, all[0].Key
}

// sipHash is SipHash-2-4 written from its paper (Aumasson and Bernstein, 2012),
// so that the pseudonyms don't rest on one library's word.
func sipHash(key [16]byte, text []byte) uint64 {
	k0, k1 := binary.LittleEndian.Uint64(key[:]), binary.LittleEndian.Uint64(key[8:])
	v := [4]uint64{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573}
	round := func() {
		v[0] += v[1]
		v[1] = bits.RotateLeft64(v[1], 13) ^ v[0]
		v[0] = bits.RotateLeft64(v[0], 32)
		v[2] += v[3]
		v[3] = bits.RotateLeft64(v[3], 16) ^ v[2]
		v[0] += v[3]
		v[3] = bits.RotateLeft64(v[3], 21) ^ v[0]
		v[2] += v[1]
		v[1] = bits.RotateLeft64(v[1], 17) ^ v[2]
		v[2] = bits.RotateLeft64(v[2], 32)
	}
	end := uint64(len(text)) << 56
	for ; len(text) >= 8; text = text[8:] {
		m := binary.LittleEndian.Uint64(text)
		v[3] ^= m
		round()
		round()
		v[0] ^= m
	}
	for i, c := range text {
		end |= uint64(c) << (8 * i)
	}
	v[3] ^= end
	round()
	round()
	v[0] ^= end
	v[2] ^= 0xff
	for range 4 {
		round()
	}
	return v[0] ^ v[1] ^ v[2] ^ v[3]
}

// TestSipHashVectors holds sipHash to the paper's own example and the first of
// the reference code's vectors.
func TestSipHashVectors(t *testing.T) {
	key := [16]byte(master()[:16])
	for n, want := range map[int]uint64{0: 0x726fdb47dd0e0e31, 1: 0x74f839c593dc67fd, 8: 0x93f5f5799a932462, 15: 0xa129ca6149be45e5} {
		if got := sipHash(key, master()[:n]); got != want {
			t.Errorf("of %d bytes: %x; want %x", n, got, want)
		}
	}
}

// derived is the key that docs give for a scope: HMAC-SHA-256 cut to 16 bytes.
func derived(scope string) ([16]byte, rollcall.KeyID) {
	mac := hmac.New(sha256.New, master())
	mac.Write([]byte(scope))
	key := [16]byte(mac.Sum(nil)[:16])
	id := sha256.Sum256(append([]byte("rollcall key id\x00"), key[:]...))
	return key, rollcall.KeyID(binary.BigEndian.Uint64(id[:8]))
}

func TestPseudonymsAreSipHashOfTheirScope(t *testing.T) {
	k := keys(t)
	for _, account := range []string{"someone@hotmail.com", "a", strings.Repeat("long", 100)} {
		key, id := derived("census|msn|2002")
		v, got := account2002(t, k, "msn", account)
		if want := sipHash(key, []byte(account)); uint64(v) != want || got != id {
			t.Errorf("account: %x under %s; want %x under %s", v, got, want, id)
		}
		key, id = derived("panel|nn|")
		v, got = panelist(t, k, "nn", account)
		if want := sipHash(key, []byte("nn|"+account)); uint64(v) != want || got != id {
			t.Errorf("panelist: %x under %s; want %x under %s", v, got, want, id)
		}
	}
}

func TestKeysDiffer(t *testing.T) {
	k := keys(t)
	seen := map[rollcall.KeyID]string{}
	visitors := map[rollcall.Visitor]string{}
	note := func(what string, v rollcall.Visitor, id rollcall.KeyID) {
		if other, ok := seen[id]; ok {
			t.Errorf("%s and %s have one key", what, other)
		}
		if other, ok := visitors[v]; ok {
			t.Errorf("one account has one pseudonym for %s and %s", what, other)
		}
		seen[id], visitors[v] = what, what
	}
	for _, service := range []rollcall.ServiceID{"msn", "aim", "yahoo"} {
		for _, year := range []int{2002, 2003} {
			v, id, err := k.Account(rollcall.Service{ID: service}, rollcall.DayOf(year, time.June, 1), "someone")
			if err != nil {
				t.Fatal(err)
			}
			note(string(service)+" in a year", v, id)
		}
	}
	for _, panel := range []rollcall.PanelID{"nn", "msn", "gfk"} {
		v, id := panelist(t, k, panel, "someone")
		note("panel "+string(panel), v, id)
	}
	other, err := ingest.NewKeys(ingest.Master{Secret: bytes.Repeat([]byte{7}, ingest.MasterSize)})
	if err != nil {
		t.Fatal(err)
	}
	v, id := account2002(t, other, "msn", "someone")
	note("another master", v, id)
}

func TestMasterIsCopied(t *testing.T) {
	m := master()
	k, err := ingest.NewKeys(ingest.Master{Secret: m})
	if err != nil {
		t.Fatal(err)
	}
	clear(m)
	v, _ := account2002(t, k, "msn", "someone")
	if want, _ := account2002(t, keys(t), "msn", "someone"); v != want {
		t.Error("the caller's later change of the master changed a key")
	}
	if _, err := ingest.NewKeys(ingest.Master{Secret: m[:ingest.MasterSize-1]}); !errors.Is(err, rollcall.ErrInvalid) {
		t.Error(err)
	}
}

// TestKeysAreMadeAgain asks for more keys than are kept.
func TestKeysAreMadeAgain(t *testing.T) {
	k := keys(t)
	first, _ := account2002(t, k, "msn", "someone")
	for i := range 5000 {
		account2002(t, k, rollcall.ServiceID(strconv.Itoa(i)), "someone")
	}
	if again, _ := account2002(t, k, "msn", "someone"); again != first {
		t.Error("a key made again is another")
	}
}

func TestNormalise(t *testing.T) {
	for _, tt := range []struct {
		service       rollcall.ServiceID
		account, want string
	}{
		{"aim", "Some One 99", "someone99"}, {"aim", " someone99 ", "someone99"}, {"aim", "   ", ""},
		{"icq", "123-456-789", "123456789"}, {"icq", "123 456 789", "123456789"}, {"icq", "---", ""},
		{"jabber", "Romeo@Example.net/Orchard", "romeo@example.net"}, {"jabber", "romeo@example.net/a/b", "romeo@example.net"}, {"jabber", "romeo@example.net", "romeo@example.net"},
		{"yahoo", "Someone@yahoo.com", "someone"}, {"yahoo", "someone", "someone"}, {"yahoo", "someone@yahoo.fr", "someone@yahoo.fr"},
		{"msn", " Someone@Hotmail.com\t", "someone@hotmail.com"}, {"msn", "some one@hotmail.com", "some one@hotmail.com"}, {"msn", "ÉLAN@x.fr", "élan@x.fr"},
		{"nobody-knows", "A/B c", "a/b c"},
	} {
		if got := ingest.Normalise(tt.service, tt.account); got != tt.want {
			t.Errorf("%s %q is %q; want %q", tt.service, tt.account, got, tt.want)
		}
		if again := ingest.Normalise(tt.service, tt.want); again != tt.want {
			t.Errorf("%s %q is %q when normalised again", tt.service, tt.want, again)
		}
		k := keys(t)
		a, _ := account2002(t, k, tt.service, tt.account)
		if b, _ := account2002(t, k, tt.service, tt.want); a != b {
			t.Errorf("%s %q and %q are two visitors", tt.service, tt.account, tt.want)
		}
	}
}
