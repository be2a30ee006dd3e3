package main

import (
	"encoding/binary"

	axiomhq "github.com/axiomhq/hyperloglog"
	influxdata "github.com/influxdata/influxdb/pkg/estimator/hll"
	retailnext "github.com/retailnext/hllpp"

	"rollcall/aggregate/hll"
)

// sketch is what every peer can do.
type sketch interface {
	add(id uint64)
	addAll(ids []uint64)
	merge(o sketch) error
	count() float64
	encode() ([]byte, error)
	// decode gives the sketch that b encodes.
	decode(b []byte) (sketch, error)
}

// peer is an implementation.
type peer struct {
	name string
	make func() sketch // gives an empty sketch of K = 14
}

// peers are the implementations, ours first.
var peers = [...]peer{
	{"rollcall", func() sketch { return ours{hll.New(14)} }},
	{"axiomhq", func() sketch { return axiom{axiomhq.New14()} }},
	{"influxdata", newInflux},
	{"retailnext", newRetail},
}

// ours is package hll.
type ours struct{ s *hll.Sketch }

func (o ours) add(id uint64)           { o.s.Add(id) }
func (o ours) addAll(ids []uint64)     { o.s.AddSlice(ids) }
func (o ours) merge(p sketch) error    { return o.s.Merge(p.(ours).s) }
func (o ours) count() float64          { return o.s.Estimate().Count }
func (o ours) encode() ([]byte, error) { return o.s.MarshalBinary() }

func (o ours) decode(b []byte) (sketch, error) {
	s, err := hll.Decode(14, b)
	return ours{s}, err
}

// axiom is github.com/axiomhq/hyperloglog. It is given the hash that ours
// computes, so that it need not hash bytes.
type axiom struct{ s *axiomhq.Sketch }

func (a axiom) add(id uint64) { a.s.InsertHash(finalise(id)) }

func (a axiom) addAll(ids []uint64) {
	for _, id := range ids {
		a.s.InsertHash(finalise(id))
	}
}

func (a axiom) merge(p sketch) error    { return a.s.Merge(p.(axiom).s) }
func (a axiom) count() float64          { return float64(a.s.Estimate()) }
func (a axiom) encode() ([]byte, error) { return a.s.MarshalBinary() }

func (a axiom) decode(b []byte) (sketch, error) {
	s := axiomhq.New14()
	return axiom{s}, s.UnmarshalBinary(b)
}

// finalise is the hash that ours uses: MurmurHash3's finaliser.
func finalise(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// influx is InfluxDB's HyperLogLog++. It hashes bytes.
type influx struct{ s *influxdata.Plus }

func newInflux() sketch {
	s, err := influxdata.NewPlus(14)
	if err != nil {
		panic(err) // 14 is within its range
	}
	return influx{s}
}

func (f influx) add(id uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], id)
	f.s.Add(b[:])
}

func (f influx) addAll(ids []uint64) {
	for _, id := range ids {
		f.add(id)
	}
}

func (f influx) merge(p sketch) error    { return f.s.Merge(p.(influx).s) }
func (f influx) count() float64          { return float64(f.s.Count()) }
func (f influx) encode() ([]byte, error) { return f.s.MarshalBinary() }

func (f influx) decode(b []byte) (sketch, error) {
	s := newInflux().(influx)
	return s, s.s.UnmarshalBinary(b)
}

// retail is github.com/retailnext/hllpp. It hashes bytes.
type retail struct{ s *retailnext.HLLPP }

func newRetail() sketch {
	s, err := retailnext.NewWithConfig(retailnext.Config{Precision: 14})
	if err != nil {
		panic(err) // 14 is within its range
	}
	return retail{s}
}

func (r retail) add(id uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], id)
	r.s.Add(b[:])
}

func (r retail) addAll(ids []uint64) {
	for _, id := range ids {
		r.add(id)
	}
}

func (r retail) merge(p sketch) error    { return r.s.Merge(p.(retail).s) }
func (r retail) count() float64          { return float64(r.s.Count()) }
func (r retail) encode() ([]byte, error) { return r.s.Marshal(), nil }

func (r retail) decode(b []byte) (sketch, error) {
	s, err := retailnext.Unmarshal(b)
	return retail{s}, err
}
