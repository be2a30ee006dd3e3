package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rollcall/internal/test/packtest"
)

// TestCutFiles: a capture or a gzip cut in the middle gives what stands before
// the cut, and then one clear line; the command fails.
func TestCutFiles(t *testing.T) {
	dir := t.TempDir()
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	capture, err := os.ReadFile("../../testdata/replay/oscar_bitlbee351.pcap")
	if err != nil {
		t.Fatal(err)
	}
	pcap := cut(t, dir, "cut.pcap", capture)
	gz := cut(t, dir, "cut.ndjson.gz", packtest.Gzip(t, []byte(strings.Join(replayEvents(5000), "\n"))))
	for name, args := range map[string][]string{
		"capture": {"collect", "pcap", pcap, "--market", "FR", "--location", "home", "--data", dir},
		"gzip":    {"events", "load", "--backfill", gz, "--data", dir},
	} {
		t.Run(name, func(t *testing.T) {
			var out, logs bytes.Buffer
			err := run(t.Context(), args, nil, &out, &logs)
			if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "cut.") {
				t.Fatalf("the error is %q, want one line that names the file", err)
			}
			if exitCode(err) != exitFailed {
				t.Fatalf("exit %d, want %d", exitCode(err), exitFailed)
			}
			if !strings.Contains(out.String(), "rejected 0") || strings.Contains(out.String(), "accepted 0") {
				t.Fatalf("the good part was not taken: %s", out.String())
			}
		})
	}
}

// TestCutFilesSayWhatToDo: the error of a file that was cut, or changed on its way,
// says what became of what stands before, and that it is to be fetched again; what it
// says is so.
// reason: one table.
func TestCutFilesSayWhatToDo(t *testing.T) {
	const again = ": fetch or copy the file again"
	const sent = "; what stands before was sent" + again + ", and load all of it, which counts nothing twice"
	const none = "; nothing of it was sent" + again
	const upTo = ", and was read up to there" + again
	dir := t.TempDir()
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	gz := packtest.Gzip(t, []byte(strings.Join(replayEvents(5000), "\n")))
	visits := "user_id,device_id,timestamp,user_agent\n"
	for i := range 5000 {
		visits += fmt.Sprintf("a%d,d%d,1034361000000,curl\n", i*7919%5000, i)
	}
	table := packtest.Gzip(t, []byte(visits))
	var intervals, objects strings.Builder
	intervals.WriteString("id,start,end,user_profile_id\n")
	objects.WriteString("[")
	for i := range 5000 {
		fmt.Fprintf(&intervals, "%d,2002-10-05 10:00:00+00,2002-10-05 10:15:00+00,%d\n", i, i*7919%5000)
		fmt.Fprintf(&objects, `{"at":"2002-10-05T10:00:00Z","user":"a%d"},`+"\n", i*7919%5000)
	}
	own := filepath.Join(dir, "own.yaml")
	if err := os.WriteFile(own, []byte("format: [json]\nservice: icq\ntables: [{name: visit, account: user, events: [{kind: {constant: use}, time: at}]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, array := packtest.Gzip(t, []byte(intervals.String())), packtest.Gzip(t, []byte(objects.String()))
	parquet, err := os.ReadFile("../../ingest/collect/file/testdata/parquet/binary.parquet")
	if err != nil {
		t.Fatal(err)
	}
	synapse := []string{"--source", "synapse", "--market", "FR"}
	rocketchat := []string{"--source", "rocketchat", "--market", "FR", "--service", "icq"} // is read twice
	const session = `{"type":"session","sessionId":"s","userId":"u","device":{"type":"browser"},"loginAt":{"$date":"2002-10-05T06:00:00Z"},"createdAt":{"$date":"2002-10-05T06:00:00Z"},"closedAt":{"$date":"2002-10-05T07:30:00Z"}}`
	sessions, events := packtest.Gzip(t, []byte("["+session+"]")), packtest.Gzip(t, []byte("["+strings.Join(replayEvents(9), ",")+"]"))
	for name, f := range map[string]struct {
		content  []byte
		args     []string
		words    string
		accepted bool
	}{
		"half.ndjson.gz":  {gz[:len(gz)/2], nil, "gzip is cut short" + sent, true},
		"none.ndjson.gz":  {gz[:30], nil, "line 1: gzip is cut short" + none, false},
		"no.ndjson.gz":    {nil, nil, "is empty" + none, false},
		"no.ndjson.zst":   {nil, nil, "is empty" + none, false},
		"more.ndjson.gz":  {slices.Concat(gz, []byte("text")), nil, fmt.Sprintf("after line 5000: has other bytes after the end of its gzip, from byte %d on; what stands before was read", len(gz)), true},
		"zeros.json.gz":   {slices.Concat(events, make([]byte, 512)), nil, fmt.Sprintf("after element 9: has other bytes after the end of its gzip, from byte %d on; what stands before was read", len(events)), true},
		"m.ndjson.zst":    {slices.Concat(packtest.Zstd(t, []byte(replayEvents(9)[0])), []byte("text")), nil, "after line 1: has other bytes after the end of its zstd; what stands before was read", true},
		"half.json":       {[]byte("[" + strings.Join(replayEvents(9), ",")), nil, "after element 9: the JSON array is cut short" + sent, true},
		"half.parquet":    {parquet[:len(parquet)/2], nil, "is cut short: it begins as Parquet, and does not end so" + none, false},
		"no.parquet":      {nil, nil, "is empty" + none, false},
		"1.parquet":       {parquet[:1], nil, "is cut short: it begins as Parquet, and has 1 bytes" + none, false},
		"11.parquet":      {parquet[:11], nil, "is cut short: it begins as Parquet, and has 11 bytes" + none, false},
		"15.parquet":      {parquet[:15], nil, "is cut short: it begins as Parquet, and does not end so" + none, false},
		"ends.parquet":    {slices.Concat(parquet[:4], parquet[len(parquet)-8:]), nil, fmt.Sprintf("is cut short or broken: it says that its footer has %d bytes, and has 12", binary.LittleEndian.Uint32(parquet[len(parquet)-8:])) + none, false},
		"few.parquet":     {[]byte("text"), nil, "is not readable as Parquet: it does not begin so", false},
		"no.arrow":        {nil, nil, "is empty" + none, false},
		"text.parquet":    {[]byte(visits), nil, "is not readable as Parquet: it does not begin so", false},
		"half.csv.gz":     {table[:len(table)/2], synapse, "the compressed file ends in the middle" + upTo, true},
		"kept.csv.gz":     {kept[:len(kept)/2], []string{"--source", "zulip", "--market", "FR", "--service", "icq"}, "the compressed file ends in the middle" + upTo, true},
		"array.json.gz":   {array[:len(array)/2], []string{"--map", own, "--market", "FR"}, "the compressed file ends in the middle" + upTo, true},
		"half.s.json":     {[]byte("[" + session + "," + session[:20]), rocketchat, "the array is cut short; the elements before were read: fetch or copy the file again", true},
		"behind.s.json":   {[]byte("[" + session + "] and more"), rocketchat, "the array has text after its end; its elements were read", true},
		"empty.csv.gz":    {nil, synapse, "the compressed file is empty" + again, false},
		"more.csv.gz":     {slices.Concat(table, []byte("text")), synapse, fmt.Sprintf("has other bytes after the end of its gzip, from byte %d on; what stands before was read", len(table)), true},
		"twice.s.json.gz": {slices.Concat(sessions, []byte("text")), rocketchat, fmt.Sprintf("has other bytes after the end of its gzip, from byte %d on; what stands before was read", len(sessions)), true},
		"more.csv.zst":    {slices.Concat(packtest.Zstd(t, []byte(strings.TrimSuffix(visits, "\n"))), []byte("text")), synapse, "has other bytes after the end of its zstd; what stands before was read", true},
		"other.csv.gz":    {[]byte(visits), synapse, "is not gzip; name it by what it is", false},
		"half.csv.zst":    {packtest.Zstd(t, []byte(visits))[:9000], synapse, "the compressed file ends in the middle" + upTo, false},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, f.content, 0o600); err != nil {
				t.Fatal(err)
			}
			var out, logs bytes.Buffer
			err := run(t.Context(), append([]string{"events", "load", "--backfill", path, "--data", dir}, f.args...), nil, &out, &logs)
			if err == nil || !strings.HasPrefix(err.Error(), path+": ") || !strings.HasSuffix(err.Error(), f.words) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %v; want %s", err, f.words)
			}
			if accepted := strings.Contains(out.String(), "rejected 0") && !strings.Contains(out.String(), "accepted 0"); accepted != f.accepted {
				t.Errorf("accepted some: %v; want %v: %s%s", accepted, f.accepted, out.String(), logs.String())
			}
		})
	}
}

// TestLinesNotLookedAt: where good lines were given up with the many bad ones before
// them, the command fails, and says what to do; done, all of them count.
func TestLinesNotLookedAt(t *testing.T) {
	dir := t.TempDir()
	rollcallRun(t, "market", "add", "FR", "--zone", "Europe/Paris", "--data", dir)
	var lines strings.Builder
	for i := range 14_000 {
		service := "nosuch"
		if i >= 12_000 {
			service = "icq"
		}
		fmt.Fprintf(&lines, `{"time":"2002-10-03T18:22:05Z","market":"FR","service":%q,"location":"home","kind":"login","account":"a%d"}`+"\n", service, i)
	}
	path := filepath.Join(dir, "mixed.ndjson")
	if err := os.WriteFile(path, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	load := []string{"events", "load", "--backfill", path, "--data", dir}
	var out, logs bytes.Buffer
	err := run(t.Context(), load, nil, &out, &logs)
	if err == nil || exitCode(err) != exitFailed || !strings.Contains(err.Error(), "4000 lines were not looked at") ||
		!strings.Contains(err.Error(), "10000 as unknown_service: add the service") || !strings.Contains(err.Error(), "give all of it again") {
		t.Errorf("the error is %v", err)
	}
	if !strings.Contains(logs.String(), "mixed.ndjson: and 9980 more were refused: `rollcall rejected list`") {
		t.Errorf("nothing says that there are more than these:\n%s", logs.String())
	}
	rollcallRun(t, "service", "add", "nosuch", "--name", "No such", "--data", dir)
	out.Reset()
	if err := run(t.Context(), load, nil, &out, &logs); err != nil || !strings.Contains(out.String(), "read 14000, accepted 14000, rejected 0") {
		t.Errorf("loaded again: %v, %s", err, out.String())
	}
}

// cut writes the first half of a file.
func cut(t *testing.T, dir, name string, whole []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
