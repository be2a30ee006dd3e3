package embedded

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"rollcall/internal/kafka"
	"rollcall/internal/test/bombtest"
	"rollcall/internal/test/logtest"
)

// filled makes a log of n events in a clean stop, and gives its largest file.
func filled(t *testing.T, dir string, n int) string {
	t.Helper()
	b := openBroker(t, dir, Options{})
	w := logtest.Writer(t, b.Cluster())
	for i := 0; i < n; i += 2000 {
		logtest.Append(t, w, logtest.Events(i, 2000))
	}
	stop(t, w, nil, b)
	return largest(t, dir)
}

// largest is the log's largest file.
func largest(t *testing.T, dir string) (path string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "kafka", "partitions", "*", "*.dat"))
	if err != nil {
		t.Fatal(err)
	}
	var size int64
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > size {
			path, size = f, info.Size()
		}
	}
	return path
}

func change(t *testing.T, path string, f func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, f(raw), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// flip turns a bit in the file's middle.
func flip(raw []byte) []byte {
	raw[len(raw)/2] ^= 4
	return raw
}

// A flipped bit costs the batch that it is in, and none behind it; it is told
// until somebody acknowledges it.
func TestFlippedBit(t *testing.T) {
	dir := t.TempDir()
	const n = 100_000
	change(t, filled(t, dir, n), flip)
	registry := prometheus.NewRegistry()
	opt := Options{Options: logtest.Options(t)}
	opt.Registerer = registry
	b, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	s := logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
	logtest.Gather(t, s, n-2000)
	d, err := b.Damage()
	if err != nil || d.Since.IsZero() || d.Records != 1 || d.Bytes < 10_000 || d.Bytes > 200_000 || d.Moved == 0 {
		t.Errorf("damage of one batch in %d events is told as %+v: %v", n, d, err)
	}
	if got := gauge(t, registry, "rollcall_log_damaged_bytes"); got != float64(d.Bytes) {
		t.Errorf("the metric of damage is %v", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBroker(t, dir, Options{})
	if again, err := b.Damage(); err != nil || again != d {
		t.Errorf("after a restart the damage is %+v: %v", again, err)
	}
	if told, err := b.Acknowledge(); err != nil || told != d {
		t.Errorf("acknowledged %+v: %v", told, err)
	}
	if left, err := b.Damage(); err != nil || left != (Damage{}) {
		t.Errorf("after it was acknowledged there is %+v: %v", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, asideFolder, "*")); err != nil || len(left) > 0 {
		t.Errorf("%v is left aside: %v", left, err)
	}
}

func gauge(t *testing.T, g prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// Where nothing of a file is sound the log goes on all the same, also over the
// next starts.
func TestNothingIsSound(t *testing.T) {
	dir := t.TempDir()
	change(t, filled(t, dir, 2000), flip)
	for round := range 3 {
		b := openBroker(t, dir, Options{})
		w, s := logtest.Writer(t, b.Cluster()), logtest.Source(t, b.Cluster(), kafka.SourceOptions{})
		logtest.Append(t, w, logtest.Events(1e6*(round+1), 4000))
		logtest.Gather(t, s, 4000)
		stop(t, w, s, b)
	}
	b := openBroker(t, dir, Options{})
	if d, err := b.Damage(); err != nil || d.Records != 1 {
		t.Errorf("the damage is %+v: %v", d, err)
	}
}

// What was set aside by a start that was killed is appended by the next.
func TestSetAsideSurvives(t *testing.T) {
	dir := t.TempDir()
	change(t, filled(t, dir, 40_000), flip)
	dead := &Broker{dir: dir, opt: Options{Options: logtest.Options(t)}}
	if damaged, err := dead.inspect(filepath.Join(dir, "kafka"), true); err != nil || !damaged {
		t.Fatalf("damaged %v: %v", damaged, err)
	}
	b := openBroker(t, dir, Options{})
	logtest.Gather(t, logtest.Source(t, b.Cluster(), kafka.SourceOptions{}), 38_000)
}

// A batch that was being written when the process was killed is no damage: its
// sender was not told that it was there.
func TestTornEndIsNoDamage(t *testing.T) {
	for name, clean := range map[string]bool{"killed": false, "stopped": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			change(t, filled(t, dir, 20_000), func(raw []byte) []byte { return raw[:len(raw)-100] })
			if !clean {
				if err := os.Remove(filepath.Join(dir, cleanMarker)); err != nil {
					t.Fatal(err)
				}
			}
			d, err := openBroker(t, dir, Options{}).Damage()
			if err != nil || d.Since.IsZero() == clean {
				t.Errorf("damage %+v: %v", d, err)
			}
		})
	}
}

func at(offset int64, value string) []byte {
	raw := bombtest.Batch(0, 1, []byte(value))
	binary.BigEndian.PutUint64(raw, uint64(offset))
	return raw
}

func TestInspectBatches(t *testing.T) {
	first, second, third := at(5, "first"), at(6, "second"), at(7, "third")
	broken := bytes.Clone(second)
	broken[70-len("second")] ^= 1
	noLength := bytes.Clone(second)
	noLength[9] ^= 0x7f
	for name, c := range map[string]struct {
		raw             []byte
		sound, behind   int
		records, nBytes int64
	}{
		"nothing":            {nil, 0, 0, 0, 0},
		"all sound":          {bytes.Join([][]byte{first, second, third}, nil), len(first) + len(second) + len(third), 0, 0, 0},
		"the second":         {bytes.Join([][]byte{first, broken, third}, nil), len(first), 1, 1, int64(len(second))},
		"its length":         {bytes.Join([][]byte{first, noLength, third}, nil), len(first), 1, 1, int64(len(second))},
		"the last":           {bytes.Join([][]byte{first, broken}, nil), len(first), 0, 1, int64(len(second))},
		"zeros":              {append(bytes.Clone(first), make([]byte, 500)...), len(first), 0, 0, 500},
		"from another place": {append(bytes.Clone(first), at(1<<40, "far")...), len(first), 0, 1, int64(len(at(0, "far")))},
		"cut":                {first[:20], 0, 0, 0, 20},
	} {
		sound, behind, lost := inspectBatches(c.raw, 5)
		if sound != c.sound || len(behind) != c.behind || lost.Records != c.records || lost.Bytes != c.nBytes {
			t.Errorf("%s: sound to %d, %d batches behind, lost %+v", name, sound, len(behind), lost)
		}
	}
}

func FuzzInspectBatches(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(bytes.Join([][]byte{at(0, "a"), at(1, "b")}, nil))
	f.Add(append(at(0, "a"), at(1, "b")[7:]...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		sound, behind, lost := inspectBatches(raw, 0)
		n := sound
		for _, b := range behind {
			n += len(b)
		}
		if n+int(lost.Bytes) != len(raw) || lost.Records < 0 {
			t.Fatalf("of %d bytes %d are sound and %d lost, with %d records", len(raw), n, lost.Bytes, lost.Records)
		}
	})
}
