package file

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	parquetfile "github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/metadata"
	"github.com/apache/arrow/go/v15/parquet/schema"
	"github.com/klauspost/compress/zstd"
)

// Bounds of a column's page.
const (
	maxValues = 4 << 20
	maxBlock  = 1 << 16 // values of a delta encoding's block: writers take 128
	maxHead   = 1 << 20
)

// page is what the head of a page says: a PageHeader of parquet.thrift.
type page struct {
	kind           int64
	unpacked, size int64 // of its body, decompressed and as it is
	values         int64
	encoding       parquet.Encoding
	levels         int64 // bytes before a page of version 2, never compressed
	heads          int   // of version 2 that were read; a later one takes an earlier one's place
	bare           bool  // of version 2: it is not compressed, whatever the column is
	head           int64 // its own length
}

// Kinds of pages.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPageV2     = 3
)

// checkColumn goes from page to page of one column in a row group, before
// anything is decoded: the library takes memory for what a page claims to
// hold, the decompressors for what their own heads claim, and a row group that
// claims more rows than its pages have is read for ever, and of one that claims fewer
// the others are passed over without a word. claims says that some values are written
// in a way that may itself claim much.
func (r *rows) checkColumn(group, column int) (claims bool, err error) {
	of, meta := r.file.MetaData().Schema.Column(column), r.file.MetaData().RowGroup(group)
	chunk, err := meta.ColumnChunk(column)
	if err != nil {
		return false, parquetFault(err)
	}
	if n, has := meta.NumRows(), chunk.NumValues(); n < 0 || n != has && of.MaxRepetitionLevel() == 0 {
		return false, fault(fmt.Sprintf("is broken: it says that it has %d rows, and its column %s has %d", n, of.Name(), has))
	}
	if _, err := compress.GetCodec(chunk.Compression()); err != nil {
		return false, fault(fmt.Sprintf("has the compression %v, which is not read; write it with snappy, gzip, brotli, zstd or none", chunk.Compression()))
	}
	at, end, err := r.extent(chunk)
	if err != nil {
		return false, err
	}
	left := chunk.NumValues()
	for left > 0 {
		p, err := r.page(at, end)
		if err == nil {
			err = r.checkPage(p, at+p.head, chunk.Compression())
		}
		if err != nil {
			return false, err
		}
		at += p.head + p.size
		if p.kind == dictionaryPage {
			continue
		}
		left -= p.values
		claims = claims || isDelta(p.encoding) || isDictionary(p.encoding)
	}
	if left < 0 {
		return false, fault(fmt.Sprintf("is broken: the pages of its column %s have %d values more than it says", of.Name(), -left))
	}
	if r.unclaimed(at, end) {
		return false, fault(fmt.Sprintf("is broken: its column %s has more pages than the %d values that it says", of.Name(), chunk.NumValues()))
	}
	return claims, nil
}

// unclaimed reports whether a page with values stands at a place where a column has no
// more values to have.
func (r *rows) unclaimed(at, end int64) bool {
	if at >= end {
		return false
	}
	p, err := r.page(at, end)
	return err == nil && p.kind != dictionaryPage && p.values > 0 && p.size >= 0 && p.head+p.size <= end-at
}

func isDelta(e parquet.Encoding) bool {
	return e == parquet.Encodings.DeltaBinaryPacked || e == parquet.Encodings.DeltaLengthByteArray
}

func isDictionary(e parquet.Encoding) bool {
	return e == parquet.Encodings.PlainDict || e == parquet.Encodings.RLEDict
}

// extent gives where a column's pages begin and end.
func (r *rows) extent(chunk *metadata.ColumnChunkMetaData) (at, end int64, err error) {
	at = chunk.DataPageOffset()
	if first := chunk.DictionaryPageOffset(); chunk.HasDictionaryPage() && 0 < first && first < at {
		at = first
	}
	end = at + chunk.TotalCompressedSize()
	if at < 0 || end < at || end > r.source.size || chunk.CryptoMetadata() != nil {
		return 0, 0, fault("has a column that lies outside of the file, or is encrypted")
	}
	return at, end, nil
}

// page reads the head of the page at a place in the file.
func (r *rows) page(at, end int64) (p page, err error) {
	for size := int64(4 << 10); ; size *= 4 {
		head := make([]byte, min(size, end-at))
		if _, err := r.source.ReadAt(head, at); err != nil && !errors.Is(err, io.EOF) {
			return p, err
		}
		p = page{kind: -1}
		t := &thrift{rest: head, number: p.note, flag: p.mark}
		if err = t.fields(0, 0); err == nil || int64(len(head)) == end-at || size > maxHead {
			p.head = int64(len(head) - len(t.rest))
			return p, err
		}
	}
}

// note takes the fields that count: 1 to 3 of a PageHeader, 5 a DataPageHeader,
// 7 a DictionaryPageHeader, 8 a DataPageHeaderV2.
func (p *page) note(at place, n int64) error {
	switch {
	case at.depth == 0:
		if field := map[int64]*int64{1: &p.kind, 2: &p.unpacked, 3: &p.size}[at.field]; field != nil {
			*field = n
		}
	case at.depth != 1:
	case at.field == 1:
		p.values = n
		if at.outer == 8 {
			p.heads++
		}
	case at.field == 2 && at.outer != 8, at.field == 4 && at.outer == 8:
		p.encoding = parquet.Encoding(n)
	case (at.field == 5 || at.field == 6) && at.outer == 8:
		if n < 0 {
			return errFooter
		}
		p.levels += n
	}
	return nil
}

// mark takes the flag that counts: 7 of a DataPageHeaderV2.
func (p *page) mark(at place, set bool) {
	if at.depth == 1 && at.outer == 8 && at.field == 7 {
		p.bare = !set
	}
}

// checkPage looks at a page whose body is at a place in the file.
func (r *rows) checkPage(p page, at int64, packing compress.Compression) error {
	least := int64(1)
	if p.kind == dictionaryPage {
		least = 0
	}
	switch {
	case p.kind != dataPage && p.kind != dictionaryPage && p.kind != dataPageV2:
		return fault(fmt.Sprintf("has a page of the kind %d, which is not read", p.kind))
	case p.size < 0 || p.size > maxPiece || p.unpacked < 0 || p.unpacked > maxPiece || p.levels > min(p.size, p.unpacked):
		return fault(fmt.Sprintf("has a page of %d bytes, %d when decompressed; the most is %d MiB", p.size, p.unpacked, maxPiece>>20))
	case p.values < least || p.values > maxValues:
		return fault(fmt.Sprintf("has a page of %d values; the most is %d", p.values, maxValues))
	case p.encoding == parquet.Encodings.DeltaByteArray || p.encoding > parquet.Encodings.RLEDict:
		return fault(fmt.Sprintf("has the encoding %v, which is not read; write it plain or as a dictionary", p.encoding))
	}
	return r.checkPacking(p, at+p.levels, packing)
}

// checkPacking looks at the head of a page's compression: snappy and zstd take
// memory for the length that is written there.
func (r *rows) checkPacking(p page, at int64, packing compress.Compression) error {
	bare := p.bare && p.kind == dataPageV2 && p.heads == 1
	if bare || p.size == p.levels || packing != compress.Codecs.Snappy && packing != compress.Codecs.Zstd {
		return nil
	}
	head := make([]byte, min(zstd.HeaderMaxSize, p.size-p.levels))
	if _, err := r.source.ReadAt(head, at); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if packing == compress.Codecs.Snappy {
		if n, used := binary.Uvarint(head); used <= 0 || n > uint64(p.unpacked) {
			return fault(fmt.Sprintf("has a page that snappy unpacks to %d bytes, not %d", n, p.unpacked))
		}
		return nil
	}
	var h zstd.Header
	if err := h.Decode(head); err != nil || h.WindowSize > maxPiece || h.FrameContentSize > uint64(p.unpacked) {
		return fault(fmt.Sprintf("has a page that zstd does not unpack to %d bytes", p.unpacked))
	}
	return nil
}

// checkValues reads over the pages of a column that is left to the library: it
// takes memory for as many values as are claimed inside of a delta encoding, and
// for as large a dictionary as any code would need.
func (r *rows) checkValues(group, column int) error {
	r.memory.renew()
	pages, err := r.file.RowGroup(group).GetColumnPageReader(column)
	if err != nil {
		return parquetFault(err)
	}
	of := r.file.MetaData().Schema.Column(column)
	for pages.Next() {
		if err := checkEncoded(pages.Page(), of); err != nil {
			return fault(fmt.Sprintf("column %s: %v", of.Name(), err))
		}
		r.memory.renew()
	}
	if err := pages.Err(); err != nil {
		return parquetFault(err)
	}
	return nil
}

func checkEncoded(p parquetfile.Page, of *schema.Column) error {
	if _, ok := p.(*parquetfile.DictionaryPage); ok {
		return nil
	}
	if err := checkLevels(p, of); err != nil {
		return err
	}
	e := parquet.Encoding(p.Encoding())
	if !isDelta(e) && !isDictionary(e) {
		return nil
	}
	values, err := valuesOf(p, of)
	if err != nil {
		return err
	}
	if isDelta(e) {
		return checkDelta(values, uint64(p.NumValues()))
	}
	return checkCodes(values)
}

// checkLevels sees whether each row of an optional column has its level: the library
// takes what it read before for those that are not there.
func checkLevels(p parquetfile.Page, of *schema.Column) error {
	if of.MaxRepetitionLevel() != 0 || of.MaxDefinitionLevel() != 1 {
		return nil
	}
	if v1, ok := p.(*parquetfile.DataPageV1); ok && v1.DefinitionLevelEncoding() != parquet.Encodings.RLE {
		return nil
	}
	levels, _, err := parts(p, true)
	if err != nil {
		return err
	}
	if h := (hybrid{rest: levels, width: 1}); !h.has(int(p.NumValues())) {
		return errPage
	}
	return nil
}

// checkCodes looks at the codes of a dictionary: their width in a byte, and runs
// as hybrid reads them, of which the last may be cut short. What width two bytes
// have takes little memory.
func checkCodes(values []byte) error {
	const small = 16
	if len(values) == 0 || values[0] <= small {
		return nil
	}
	if values[0] > maxWidth {
		return fmt.Errorf("has a page with codes of a dictionary of %d bits; the most is %d", values[0], maxWidth)
	}
	h := hybrid{rest: values[1:], width: uint(values[0])}
	for h.part() {
		if most := h.most(); most >= maxValues {
			return fmt.Errorf("has a page with the code %d of a dictionary; the most is %d", most, maxValues-1)
		}
	}
	return nil
}

// checkDelta looks at the head of delta encoded numbers: the values in a block,
// the miniblocks in one and the number of values, each a uvarint.
func checkDelta(values []byte, most uint64) error {
	var head [3]uint64
	for i := range head {
		v, n := binary.Uvarint(values)
		if n <= 0 {
			return errPage
		}
		head[i], values = v, values[n:]
	}
	block, miniblocks, total := head[0], head[1], head[2]
	if block > maxBlock || miniblocks == 0 || miniblocks > block || total > most {
		return fmt.Errorf("has a page that claims %d delta encoded values in blocks of %d; it has %d", total, block, most)
	}
	return nil
}

const errPage = damage("has a page that is cut short")

// valuesOf gives a data page's bytes behind its levels.
func valuesOf(p parquetfile.Page, of *schema.Column) ([]byte, error) {
	data := p.Data()
	skip := func(n int64) error {
		if n < 0 || n > int64(len(data)) {
			return errPage
		}
		data = data[n:]
		return nil
	}
	if v2, ok := p.(*parquetfile.DataPageV2); ok {
		return data, skip(int64(v2.RepetitionLevelByteLen()) + int64(v2.DefinitionLevelByteLen()))
	}
	v1, ok := p.(*parquetfile.DataPageV1)
	if !ok {
		return data, nil
	}
	for _, level := range []struct {
		most     int16
		encoding parquet.Encoding
	}{
		{of.MaxRepetitionLevel(), v1.RepetitionLevelEncoding()},
		{of.MaxDefinitionLevel(), v1.DefinitionLevelEncoding()},
	} {
		switch {
		case level.most == 0:
			continue
		case level.encoding != parquet.Encodings.RLE:
			return nil, fmt.Errorf("has levels in the encoding %v, which is not read", level.encoding)
		case len(data) < 4:
			return nil, errPage
		}
		if err := skip(4 + int64(binary.LittleEndian.Uint32(data))); err != nil {
			return nil, err
		}
	}
	return data, nil
}
