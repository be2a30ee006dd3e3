package reach

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// TestNamesOfMany: what DNS tells is bounded, and a client that asks for any number of
// names costs another none of its own.
func TestNamesOfMany(t *testing.T) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	address := func(net byte, i int) netip.Addr {
		var ip [4]byte
		binary.BigEndian.PutUint32(ip[:], uint32(net)<<24+uint32(i))
		return netip.AddrFrom4(ip)
	}
	var n names
	greedy := address(10, 0)
	for i := range 1000 {
		n.learn(address(10, 1+i), address(20, i), "icq", noon, time.Hour)
	}
	for i := range namesMost * 5 / 4 {
		if n.learn(greedy, address(30, i), "msn", noon, 24*time.Hour); len(n.known) > namesMost {
			t.Fatalf("%d names are known", len(n.known))
		}
	}
	for i := range 1000 {
		if s, known := n.find(address(10, 1+i), address(20, i), noon); !known || s != "icq" {
			t.Fatalf("client %d's name is forgotten: %q", i, s)
		}
	}
	if s, known := n.find(greedy, address(30, namesMost*5/4-1), noon); !known || s != "msn" {
		t.Errorf("the last name is forgotten: %q", s)
	}
	for i := range namesMost * 5 / 4 { // of as many clients
		if n.learn(address(11, i), address(20, 0), "icq", noon, time.Hour); len(n.known) > namesMost {
			t.Fatalf("%d names are known", len(n.known))
		}
	}
}

// TestOldNamesAreForgotten: of clients that were told as many names, the ones told longest
// ago lose theirs.
func TestOldNamesAreForgotten(t *testing.T) {
	noon := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	address := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)})
	}
	var n names
	for i := range namesMost + 1 {
		n.learn(address(namesMost-i), address(0), "icq", noon.Add(time.Duration(i)*time.Millisecond), time.Hour)
	}
	for i, want := range map[int]bool{0: false, namesMost/16 - 1: false, namesMost / 16: true, namesMost: true} {
		if _, known := n.find(address(namesMost-i), address(0), noon); known != want {
			t.Errorf("of client %d the name is known: %t, want %t", i, known, want)
		}
	}
}
