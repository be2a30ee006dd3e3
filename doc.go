// Package rollcall is the vocabulary of Rollcall, audience measurement for
// messaging services: the events that collectors see, the two kinds of fact
// that are kept of them (census cells and panel diaries), and the calendar,
// places and populations that a figure is about.
//
// One idea holds the system together: every stored quantity is an idempotent,
// commutative and associative union (register maxima, sets of minutes). No
// running sum is ever stored, so a range of the log can be read again at any
// time, in any order, without changing a byte of any report.
//
// Read event.go, cell.go and diary.go first (what is counted), then calendar.go,
// market.go, service.go, location.go and panel.go (of whom, where and when),
// query.go (what may be asked), table.go and measure.go (what is answered), and
// store.go.
package rollcall
