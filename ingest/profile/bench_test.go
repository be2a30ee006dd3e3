package profile

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"rollcall"
)

// BenchmarkSynapse reads 20,000 rows of a table joined with 1,000 users, both
// passes; to be read beside what the log takes them at.
func BenchmarkSynapse(b *testing.B) {
	const rows = 20_000
	dir := b.TempDir()
	visits, users := filepath.Join(dir, "v.csv"), filepath.Join(dir, "u.csv")
	text := []byte("user_id,device_id,timestamp,user_agent\n")
	for i := range rows {
		text = fmt.Appendf(text, "@user%d:example.org,D%d,%d,\"Element/1.6 (Pixel %d; Android 16)\"\n", i%1000, i%3, 1790812800000+86400000*(i/700), i%9)
	}
	people := []byte("name,user_type,deactivated\n")
	for i := range 1000 {
		people = fmt.Appendf(people, "@user%d:example.org,,0\n", i)
	}
	for path, text := range map[string][]byte{visits: text, users: people} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	p, err := Builtin("synapse", OfTables)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := p.NewReader(b.Context(), Options{Market: "FR", Location: rollcall.Elsewhere, Calendar: utc(b), Joins: map[string]string{"users": users}})
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Survey(b.Context(), []string{visits}); err != nil {
			b.Fatal(err)
		}
		if counts, err := r.Read(b.Context(), visits, func(Seen) error { return nil }); err != nil || counts.Sightings != rows {
			b.Fatal(counts, err)
		}
	}
	b.ReportMetric(float64(rows*b.N)/b.Elapsed().Seconds(), "rows/s")
}
