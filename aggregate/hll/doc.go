// Package hll is HyperLogLog in ClickHouse's own bytes: a state here is byte
// for byte an AggregateFunction(uniqCombined64(K), UInt64) state, so a
// ClickHouse cluster merges Rollcall's sketches and Rollcall merges ClickHouse's.
//
// A sketch is the set of its hashes while they are few, and counts exactly;
// from 2^(K-5) of them on it is 2^K registers, each the greatest rank seen.
// Both are unions: adding or merging anything twice, in any order, by any
// split, leaves the same bytes.
//
// docs/formats/sketch.md specifies the bytes; [Sketch.Decode] sums it up.
//
// Read sketch.go first, then hash.go (ids to registers), set.go and
// plain.go (the two forms), fast_amd64.go (what is done with very many registers or ids,
// by the processor's vectors, held to plain.go by fuzz targets), add.go, rise.go and bank.go
// (many ids for many sketches), merge.go, estimate.go, and encode.go with decode.go, whose
// comment specifies the bytes.
package hll
