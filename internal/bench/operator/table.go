package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"rollcall"
)

// The forms of a table.
const (
	parquetForm = "parquet" // of events, as docs/formats/events.md has them
	csvForm     = "csv"     // an operator's own, for --source tchap
)

// writeDay writes a day's visits to a file, and gives their number.
func (m *month) writeDay(path, form string, day rollcall.Day) (n int, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if form == csvForm {
		return m.writeCSV(f, day)
	}
	return m.writeParquet(f, day)
}

func (m *month) writeCSV(f *os.File, day rollcall.Day) (n int, err error) {
	agents := map[rollcall.Platform]string{rollcall.Phone: "Element/1.6 (iPhone; iOS 18.0; Scale/3.00)", rollcall.Computer: "Element/1.11 (Electron; Linux)", rollcall.Web: "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"}
	out := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintln(out, "user_id,device_id,visit_ts,user_agent,instance,domain")
	m.day(day, func(v *visit) bool {
		n++
		fmt.Fprintf(out, "\\x%016x,%x,%s 00:00:00+02,%q,%s,example.org\n", scatter(uint64(v.account)), v.platform, day, agents[v.platform], segmentID(v.segment).String())
		return true
	})
	return n, out.Flush()
}

// groupRows are the rows of one row group.
const groupRows = 1 << 18

func (m *month) writeParquet(f *os.File, day rollcall.Day) (n int, err error) {
	text := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.BinaryTypes.String} }
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "time", Type: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}},
		text("market"), text("service"), text("location"), text("kind"), text("precision"), text("account"), text("platform"), text("segment"),
	}, nil)
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryDefault(true), parquet.WithDictionaryFor("account", false))
	out := bufio.NewWriterSize(f, 1<<20)
	w, err := pqarrow.NewFileWriter(schema, out, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return 0, err
	}
	rows := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer rows.Release()
	year, of, date := day.Date()
	noon := arrow.Timestamp(time.Date(year, of, date, 12, 0, 0, 0, time.UTC).UnixMilli())
	flush := func() error {
		record := rows.NewRecord()
		defer record.Release()
		return w.Write(record)
	}
	m.day(day, func(v *visit) bool {
		rows.Field(0).(*array.TimestampBuilder).Append(noon)
		for i, s := range []string{"FR", service, v.location.String(), v.kind.String(), "day", account(v.account), v.platform.String(), segmentID(v.segment).String()} {
			rows.Field(1 + i).(*array.StringBuilder).Append(s)
		}
		if n++; n%groupRows == 0 {
			err = flush()
		}
		return err == nil
	})
	return n, errors.Join(err, flush(), w.Close(), out.Flush())
}

// account names an account.
func account(n int) string { return fmt.Sprintf("@user-%d:example.org", n) }
