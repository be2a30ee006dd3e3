package arrowipc

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"rollcall"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// foreign is a stream as another program might write it.
type foreign struct {
	fields  []arrow.Field
	columns []arrow.Array
	options []ipc.Option
}

// add gives the stream a column, built by fill.
func (f *foreign) add(name string, t arrow.DataType, fill func(array.Builder)) {
	b := array.NewBuilder(memory.DefaultAllocator, t)
	fill(b)
	f.fields = append(f.fields, arrow.Field{Name: name, Type: t, Nullable: true})
	f.columns = append(f.columns, b.NewArray())
}

func (f *foreign) stream(t testing.TB) []byte {
	t.Helper()
	schema := arrow.NewSchema(f.fields, nil)
	rec := array.NewRecord(schema, f.columns, int64(f.columns[0].Len()))
	var out bytes.Buffer
	w := ipc.NewWriter(&out, append(f.options, ipc.WithSchema(schema))...)
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// text makes a fill of strings; "-" stands for null.
func textOfAll(values ...string) func(array.Builder) {
	return func(b array.Builder) {
		for _, v := range values {
			if v == "-" {
				b.AppendNull()
			} else if err := b.AppendValueFromString(v); err != nil {
				panic(err)
			}
		}
	}
}

func numbersOfAll(values ...uint64) func(array.Builder) {
	return func(b array.Builder) { b.(*array.Uint64Builder).AppendValues(values, nil) }
}

func timesOfAll(values ...int64) func(array.Builder) {
	return func(b array.Builder) {
		for _, v := range values {
			if v == 0 {
				b.AppendNull()
			} else {
				b.(*array.TimestampBuilder).Append(arrow.Timestamp(v))
			}
		}
	}
}

func dictionaryOf(index, value arrow.DataType) arrow.DataType {
	return &arrow.DictionaryType{IndexType: index, ValueType: value}
}

// threeRows makes a stream of three events whose text columns have the type,
// whose times have the unit, and whose columns come in an order of their own,
// with strangers in between.
func threeRows(text arrow.DataType, unit arrow.TimeUnit) *foreign {
	f := &foreign{}
	at := time.Date(2002, 10, 3, 18, 22, 5, 0, time.UTC).UnixNano() / int64(unit.Multiplier())
	minute := int64(time.Minute) / int64(unit.Multiplier())
	f.add("key", arrow.PrimitiveTypes.Uint64, numbersOfAll(1, 1, 2))
	f.add("id", arrow.BinaryTypes.String, textOfAll("E01", "E02", "-"))
	f.add("panel", text, textOfAll("-", "nn", ""))
	f.add("kind", text, textOfAll("use", "login", "use"))
	f.add("location", text, textOfAll("home", "work", "home"))
	f.add("tags", arrow.ListOf(arrow.BinaryTypes.String), func(b array.Builder) {
		for range 3 {
			b.AppendEmptyValue()
		}
	})
	f.add("service", text, textOfAll("msn", "aim", "msn"))
	f.add("market", text, textOfAll("FR", "FR", "FR"))
	f.add("visitor", arrow.PrimitiveTypes.Uint64, numbersOfAll(1<<63, 2, 3))
	f.add("until", &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, timesOfAll(0, at+minute, at))
	f.add("time", &arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, timesOfAll(at, at, at))
	return f
}

func threeEvents() []rollcall.Event {
	at := time.Date(2002, 10, 3, 18, 22, 5, 0, time.UTC)
	msn := rollcall.Group{Market: "FR", Service: "msn", Location: rollcall.Home, Kind: rollcall.Use, Key: 1}
	aim := rollcall.Group{Market: "FR", Service: "aim", Location: rollcall.Work, Kind: rollcall.Login, Panel: "nn", Key: 1}
	other := msn
	other.Key = 2
	return []rollcall.Event{
		{Group: msn, Time: at, Visitor: 1 << 63},
		{Group: aim, Time: at, Until: at.Add(time.Minute), Visitor: 2},
		{Group: other, Time: at, Until: at, Visitor: 3},
	}
}

func (c *collect) expect(t *testing.T, want []rollcall.Event) {
	t.Helper()
	if len(c.errs) > 0 || c.batch.Len() != len(want) {
		t.Fatalf("%d rows came of %d, refused: %v", c.batch.Len(), len(want), c.errs)
	}
	for i := range want {
		if got := c.batch.Event(i); got != want[i] {
			t.Errorf("row %d is %v, not %v", i, got, want[i])
		}
	}
}

func TestForeignTypes(t *testing.T) {
	d := NewDecoder()
	texts := []arrow.DataType{arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString}
	for _, index := range []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Uint16,
		arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64,
	} {
		texts = append(texts, dictionaryOf(index, arrow.BinaryTypes.String))
	}
	for _, text := range texts {
		for _, unit := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
			for name, opts := range map[string][]ipc.Option{"plain": nil, "lz4": {ipc.WithLZ4()}, "zstd": {ipc.WithZstd()}} {
				t.Run(text.String()+" "+unit.String()+" "+name, func(t *testing.T) {
					f := threeRows(text, unit)
					f.options = opts
					for _, limit := range []int{10, 1} {
						var c collect
						if err := c.read(d, f.stream(t), limit); err != nil {
							t.Fatal(err)
						}
						c.expect(t, threeEvents())
					}
				})
			}
		}
	}
}

func TestOptionalColumns(t *testing.T) {
	f := threeRows(arrow.BinaryTypes.String, arrow.Second)
	for _, name := range []string{"until", "panel"} {
		f.drop(name)
	}
	var c collect
	if err := c.read(NewDecoder(), f.stream(t), 10); err != nil {
		t.Fatal(err)
	}
	want := threeEvents()
	for i := range want {
		want[i].Panel, want[i].Until = "", time.Time{}
	}
	c.expect(t, want)
}

func (f *foreign) drop(name string) {
	for i := range f.fields {
		if f.fields[i].Name == name {
			f.fields = append(f.fields[:i:i], f.fields[i+1:]...)
			f.columns = append(f.columns[:i:i], f.columns[i+1:]...)
			return
		}
	}
}

// replace gives a column another type and content.
func (f *foreign) replace(name string, t arrow.DataType, fill func(array.Builder)) {
	f.drop(name)
	f.add(name, t, fill)
}

func TestSchemasThatDontFit(t *testing.T) {
	for name, change := range map[string]func(*foreign){
		"no time":             func(f *foreign) { f.drop("time") },
		"no market":           func(f *foreign) { f.drop("market") },
		"no visitor":          func(f *foreign) { f.drop("visitor") },
		"no key":              func(f *foreign) { f.drop("key") },
		"two markets":         func(f *foreign) { f.add("market", arrow.BinaryTypes.String, textOfAll("FR", "FR", "FR")) },
		"time is a number":    func(f *foreign) { f.replace("time", arrow.PrimitiveTypes.Uint64, numbersOfAll(1, 2, 3)) },
		"visitor is a text":   func(f *foreign) { f.replace("visitor", arrow.BinaryTypes.String, textOfAll("1", "2", "3")) },
		"service is a number": func(f *foreign) { f.replace("service", arrow.PrimitiveTypes.Uint64, numbersOfAll(1, 2, 3)) },
	} {
		f := threeRows(arrow.BinaryTypes.String, arrow.Second)
		change(f)
		err := new(collect).read(NewDecoder(), f.stream(t), 10)
		if !isCode(err, codeSchema) {
			t.Errorf("%s: read gave %v", name, err)
		}
	}
}

// Rows that can't be used are given back whole, with the reason and the line.
func TestBadRows(t *testing.T) {
	text := dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String)
	for name, test := range map[string]struct {
		change func(*foreign)
		code   string
		row    func(*Row) // what of the second row is changed
	}{
		"no market":         {func(f *foreign) { f.replace("market", text, textOfAll("FR", "-", "FR")) }, "", func(r *Row) { r.Market = "" }},
		"a kind of its own": {func(f *foreign) { f.replace("kind", text, textOfAll("use", "chat", "use")) }, "kind", func(r *Row) { r.Kind = "chat" }},
		"no kind":           {func(f *foreign) { f.replace("kind", arrow.BinaryTypes.String, textOfAll("use", "-", "use")) }, "kind", func(r *Row) { r.Kind = "" }},
		"two places":        {func(f *foreign) { f.replace("location", text, textOfAll("home", "home+work", "home")) }, "location", func(r *Row) { r.Location = "home+work" }},
		"no time": {func(f *foreign) {
			f.replace("time", arrow.FixedWidthTypes.Timestamp_s, timesOfAll(1033669325, 0, 1033669325))
		}, "time_missing", func(r *Row) { r.Time = "" }},
		"a time too far": {func(f *foreign) {
			f.replace("time", arrow.FixedWidthTypes.Timestamp_s, timesOfAll(1033669325, 1<<62, 1033669325))
		}, "time", func(r *Row) { r.Time = "4611686018427387904s" }},
		"an until too far": {func(f *foreign) {
			f.replace("until", arrow.FixedWidthTypes.Timestamp_us, timesOfAll(0, -1<<62, 1033669325e6))
		}, "until", func(r *Row) { r.Until = "-4611686018427387904us" }},
		"no visitor": {func(f *foreign) {
			f.replace("visitor", arrow.PrimitiveTypes.Uint64, func(b array.Builder) {
				b.(*array.Uint64Builder).AppendValues([]uint64{1 << 63, 2, 3}, []bool{true, false, true})
			})
		}, "visitor_missing", func(r *Row) { r.Visitor = "" }},
		"no key": {func(f *foreign) {
			f.replace("key", arrow.PrimitiveTypes.Uint64, func(b array.Builder) {
				b.(*array.Uint64Builder).AppendValues([]uint64{1, 1, 2}, []bool{true, false, true})
			})
		}, "key_missing", func(r *Row) { r.Key = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			f := threeRows(text, arrow.Second)
			test.change(f)
			var c collect
			refuse := func(g *rollcall.Group) (uint32, error) {
				if g.Market == "" {
					return 0, missing("market")
				}
				return c.code(g)
			}
			d := NewDecoder()
			if err := d.Open(f.stream(t)); err != nil {
				t.Fatal(err)
			}
			if _, err := d.Read(&c.batch, 10, Sink{Code: refuse, Bad: c.bad}); err != nil {
				t.Fatal(err)
			}
			want := RowOf(&threeEvents()[1])
			test.row(&want)
			if c.batch.Len() != 2 || len(c.rows) != 1 || c.rows[0] != want || c.lines[0] != 2 {
				t.Fatalf("%d good rows, and %+v at %v, not %+v", c.batch.Len(), c.rows, c.lines, want)
			}
			if test.code != "" && !isCode(c.errs[0], test.code) {
				t.Errorf("the row is refused for %v, not as %s", c.errs[0], test.code)
			}
		})
	}
}

func TestRowJSON(t *testing.T) {
	for _, e := range someEvents(50) {
		row := RowOf(&e)
		got, err := ParseRow(row.JSON())
		if err != nil || got != e {
			t.Fatalf("%s is read as %v: %v", row.JSON(), got, err)
		}
	}
	for body, code := range map[string]string{
		`{"x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`: "json_depth",
		`{`: "json", `[]`: "json", `{}`: "location", `{"location":"home"}`: "kind", `{"location":"home","kind":"use"}`: "key",
		`{"location":"home","kind":"use","key":"0000000000000001"}`:                          "visitor",
		`{"location":"home","kind":"use","key":"0000000000000001","visitor":"-1"}`:           "visitor",
		`{"location":"home","kind":"use","key":"0000000000000001","visitor":"1"}`:            "time",
		`{"location":"home","kind":"use","key":"0000000000000001","visitor":"1","time":"x"}`: "time",
	} {
		if _, err := ParseRow([]byte(body)); !isCode(err, code) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// The contract that other programs read is the schema that is written.
func TestSchemaIsTheContract(t *testing.T) {
	text, err := os.ReadFile("../../schemas/events.arrow.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := Schema().String(); strings.TrimSpace(got) != strings.TrimSpace(string(text)) {
		t.Errorf("schemas/events.arrow.txt has another schema than is written:\n%s", got)
	}
}

// TestVersions: events without a platform, a segment or a precision are streams
// of version 1, as they were before there were any; others are of version 2.
func TestVersions(t *testing.T) {
	events := threeEvents()
	version := func() (string, int) {
		r, err := ipc.NewReader(bytes.NewReader(encode(t, events)))
		if err != nil {
			t.Fatal(err)
		}
		v, _ := r.Schema().Metadata().GetValue("rollcall.events")
		return v, r.Schema().NumFields()
	}
	if v, n := version(); v != "1" || n != 9 {
		t.Errorf("version %q of %d columns", v, n)
	}
	events[2].Segment = "paris"
	if v, n := version(); v != "2" || n != 12 {
		t.Errorf("version %q of %d columns, with a segment", v, n)
	}
	var c collect
	if err := c.read(NewDecoder(), encode(t, events), 2); err != nil {
		t.Fatal(err)
	}
	c.expect(t, events)
}

// TestManyValues: eight columns of 4,096 values each have more combinations than
// 64 bits can number. Every row comes back whole all the same.
func TestManyValues(t *testing.T) {
	const rows = 3 * maxValues
	value := func(column, row int) string {
		return fmt.Sprintf("%s-%d", textNames()[column], row*(2*column+1)*7919%maxValues)
	}
	for _, kind := range []arrow.DataType{arrow.BinaryTypes.String, dictionaryOf(arrow.PrimitiveTypes.Int16, arrow.BinaryTypes.String)} {
		f := &foreign{}
		numbers := make([]uint64, rows)
		times := make([]int64, rows)
		for i := range numbers {
			numbers[i], times[i] = uint64(i), 1e18
		}
		f.add("key", arrow.PrimitiveTypes.Uint64, numbersOfAll(numbers...))
		f.add("visitor", arrow.PrimitiveTypes.Uint64, numbersOfAll(numbers...))
		f.add("time", &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, timesOfAll(times...))
		for column, name := range textNames() {
			values := make([]string, rows)
			for i := range values {
				values[i] = value(column, i)
			}
			f.add(name, kind, textOfAll(values...))
		}
		var c collect
		if err := c.read(NewDecoder(), f.stream(t), 1000); err != nil {
			t.Fatal(err)
		}
		if len(c.rows) != rows {
			t.Fatalf("%d rows of %d were refused", len(c.rows), rows)
		}
		for i, r := range c.rows {
			got := [texts]string{r.Market, r.Service, r.Location, r.Kind, r.Panel, r.Platform, r.Segment, r.Precision}
			for column := range got {
				if want := value(column, c.lines[i]-1); got[column] != want {
					t.Fatalf("line %d has %s %q, not %q", c.lines[i], textNames()[column], got[column], want)
				}
			}
		}
	}
}
