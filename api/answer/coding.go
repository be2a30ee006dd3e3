package answer

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// The content codings that answers are packed in; "" is none.
const (
	codingZstd = "zstd"
	codingGzip = "gzip"
)

// codingOf gives the coding that an Accept-Encoding header likes best; of two
// alike, zstd.
func codingOf(accept string) string {
	best, weight := "", 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, parameter, _ := strings.Cut(part, ";")
		q := 1.0
		if text, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "x-gzip" {
			name = codingGzip
		}
		if (name == codingZstd || name == codingGzip) && (q > weight || q == weight && q > 0 && name == codingZstd) {
			best, weight = name, q
		}
	}
	return best
}

// leastPacked is under what packing gains nothing.
const leastPacked = 1 << 10

// packs says whether a body is worth packing: workbooks and archives are packed.
func packs(contentType string, body []byte) bool {
	media, _, _ := strings.Cut(contentType, ";")
	return len(body) >= leastPacked && (strings.HasPrefix(media, "text/") || strings.HasSuffix(media, "json") || strings.HasSuffix(media, "yaml"))
}

// pack packs a body in a coding.
func pack(coding string, body []byte) ([]byte, error) {
	var b bytes.Buffer
	if coding == codingGzip {
		z := gzip.NewWriter(&b)
		if _, err := z.Write(body); err != nil {
			return nil, err
		}
		err := z.Close()
		return b.Bytes(), err
	}
	z, err := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}
