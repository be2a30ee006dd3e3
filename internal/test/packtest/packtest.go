// Package packtest compresses what tests send.
package packtest

import (
	"bytes"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Gzip gives a text as one gzip member.
func Gzip(tb testing.TB, text []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	return pack(tb, gzip.NewWriter(&b), &b, text)
}

// Zstd gives a text as one zstd frame.
func Zstd(tb testing.TB, text []byte, options ...zstd.EOption) []byte {
	tb.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, options...)
	if err != nil {
		tb.Fatal(err)
	}
	return pack(tb, z, &b, text)
}

func pack(tb testing.TB, z io.WriteCloser, to *bytes.Buffer, text []byte) []byte {
	tb.Helper()
	if _, err := z.Write(text); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return to.Bytes()
}
