package main

import (
	"fmt"

	"rollcall"
)

// month is what an operator's table of daily visits holds: who was seen on which
// day, where and on which device. It is the same at each run. One account in ten
// is there on nine days of ten, three in ten on four, and the others on one day
// of twelve: about eight visits a month each.
type month struct {
	accounts int
	segments int
	places   int // 1: everything is elsewhere; 3
	first    rollcall.Day
	days     int
	shares   []uint64 // shares[i]: of 2^32, the accounts of the segments up to the i-th
}

// visit is one row of the table. Its texts are the month's.
type visit struct {
	account  int
	day      rollcall.Day
	platform rollcall.Platform
	segment  int
	location rollcall.Location
	kind     rollcall.Kind
}

// newMonth makes October 2026. The segments are as large as 1, 1/2, 1/3 and so on.
func newMonth(accounts, segments, places int) *month {
	m := &month{accounts: accounts, segments: segments, places: places, first: rollcall.DayOf(2026, 10, 1), days: 31}
	whole := 0.0
	for i := range segments {
		whole += 1 / float64(i+1)
	}
	part := 0.0
	for i := range segments {
		part += 1 / float64(i+1)
		m.shares = append(m.shares, uint64(part/whole*(1<<32)))
	}
	m.shares[segments-1] = 1 << 32
	return m
}

// last has it last so many days, of which the last stays what it is.
func (m *month) last(days int) { m.first, m.days = m.first+rollcall.Day(m.days-days), days }

// day yields the visits of a day, the accounts in their order.
func (m *month) day(day rollcall.Day, yield func(*visit) bool) {
	var v visit
	for account := range m.accounts {
		who := scatter(uint64(account))
		x := scatter(who + uint64(day))
		if x&0xffff >= often(who) {
			continue
		}
		v = visit{account: account, day: day, platform: device(who, x), segment: m.segment(who>>8, x), location: rollcall.Elsewhere, kind: rollcall.Presence}
		if m.places == 3 {
			v.location, v.kind = place(x), [...]rollcall.Kind{rollcall.Presence, rollcall.Presence, rollcall.Login, rollcall.Use}[x>>62]
		}
		if !yield(&v) {
			return
		}
	}
}

// often gives of how many of 65,536 days an account is there.
func often(who uint64) uint64 {
	switch who >> 48 % 10 {
	case 0:
		return 58982
	case 1, 2, 3:
		return 26214
	}
	return 5243
}

// device is mostly the account's own.
func device(who, x uint64) rollcall.Platform {
	own := [...]rollcall.Platform{rollcall.Phone, rollcall.Phone, rollcall.Computer, rollcall.Web}
	if x>>16%5 == 0 {
		return own[x>>20&3]
	}
	return own[who&3]
}

// segment is mostly the account's own: one visit in fifty is at another.
func (m *month) segment(who, x uint64) int {
	at := who & 0xffffffff
	if x>>24%50 == 0 {
		at = x >> 32
	}
	low, high := 0, m.segments-1
	for low < high {
		if middle := (low + high) / 2; at < m.shares[middle] {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// place is of three, of very different sizes.
func place(x uint64) rollcall.Location {
	switch n := x >> 30 & 15; {
	case n == 0:
		return rollcall.Work
	case n < 4:
		return rollcall.Home
	}
	return rollcall.Elsewhere
}

// segmentID names a segment. The first is that of no segment.
func segmentID(segment int) rollcall.SegmentID {
	if segment == 0 {
		return ""
	}
	return rollcall.SegmentID(fmt.Sprintf("instance-%d", segment))
}

// scatter is a bijection of 64 bits that leaves no pattern: the steps of
// SplitMix64 (Steele, Lea and Flood, 2014).
func scatter(x uint64) uint64 {
	x = (x + 1) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
