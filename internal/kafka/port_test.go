package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"rollcall"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// request makes a frame: a kind, a version, correlation 1, no client, a body.
func request(kind, version int16, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(headerBytes+len(body)))
	b = binary.BigEndian.AppendUint16(b, uint16(kind))
	b = binary.BigEndian.AppendUint16(b, uint16(version))
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint16(b, 0xffff)
	return append(b, body...)
}

// produce makes a request to append a batch of raw records.
func produce(codec int16, count int32, records []byte) []byte {
	batch := kmsg.RecordBatch{
		Length: int32(49 + len(records)), PartitionLeaderEpoch: -1, Magic: 2, Attributes: codec,
		LastOffsetDelta: count - 1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: count, Records: records,
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	req := kmsg.NewPtrProduceRequest()
	req.SetVersion(7)
	req.Acks = -1
	p := kmsg.NewProduceRequestTopicPartition()
	p.Records = raw
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic = Events
	topic.Partitions = append(topic.Partitions, p)
	req.Topics = append(req.Topics, topic)
	return request(int16(kmsg.Produce), 7, req.AppendTo(nil))
}

// record makes a raw record that claims so many headers.
func record(value string, headers int64) []byte {
	body := []byte{0, 0, 0, 1} // attributes, deltas, no key
	body = binary.AppendVarint(body, int64(len(value)))
	body = append(body, value...)
	body = binary.AppendVarint(body, headers)
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := kafka.Gzip.Codec().NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// hostile are frames that must not reach the embedded broker. Each of the
// first four stops it or empties the log when it does.
func hostile(t *testing.T) map[string][]byte {
	good := request(int16(kmsg.ApiVersions), 0, nil)
	huge := bytes.Clone(good)
	binary.BigEndian.PutUint32(huge, 0xffffffff)
	tiny := bytes.Clone(good)
	binary.BigEndian.PutUint32(tiny, 3)
	bomb := append(record(strings.Repeat("a", MaxInflated), 0), record("x", 0)...)
	return map[string][]byte{
		"unknown kind":         request(9999, 0, nil),
		"4 GiB":                huge,
		"delete topics":        request(int16(kmsg.DeleteTopics), 0, nil),
		"delete records":       request(int16(kmsg.DeleteRecords), 0, nil),
		"negative kind":        request(-1, 0, nil),
		"create topics":        request(int16(kmsg.CreateTopics), 0, nil),
		"alter configs":        request(int16(kmsg.AlterConfigs), 0, nil),
		"3 bytes":              tiny,
		"a version with tags":  request(int16(kmsg.Metadata), 12, []byte{0xff, 0xff, 0xff, 0xff, 0x0f}),
		"version of nobody":    request(int16(kmsg.Fetch), 1000, nil),
		"negative version":     request(int16(kmsg.Fetch), -7, nil),
		"produce of nothing":   request(int16(kmsg.Produce), 7, []byte{1, 2, 3}),
		"headers by the EiB":   produce(0, 1, record("x", 1<<60)),
		"negative headers":     produce(0, 1, record("x", -5)),
		"too few records":      produce(0, 9, record("x", 0)),
		"no records":           produce(0, 0, nil),
		"2^31 records":         produce(0, 1<<31-1, record("x", 0)),
		"too many records":     produce(0, 1, append(record("x", 0), record("y", 0)...)),
		"an unknown codec":     produce(7, 1, record("x", 0)),
		"broken gzip":          produce(1, 1, record("x", 0)),
		"snappy of 4 GiB":      produce(2, 1, binary.AppendUvarint(nil, 1<<32-1)),
		"snappy in frames":     produce(2, 1, []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\xff\xff\xff\xff")),
		"a block of 4 GiB":     produce(2, 1, []byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x05\xff\xff\xff\xff\x0f")),
		"zstd by the GiB":      produce(4, 1, []byte("\x28\xb5\x2f\xfd\xe0\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x00\x00")),
		"gzip of hostile":      produce(1, 1, gzipped(t, record("x", 1<<60))),
		"gzip of very many":    produce(1, 2, gzipped(t, bomb)),
		"a length of its own":  produce(0, 1, []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}),
		"a value past the end": produce(0, 1, []byte{8, 0, 0, 0, 1, 0x7e, 'x', 0}),
	}
}

func TestPortRefusesHostileFrames(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{Listen: "127.0.0.1:0"})
	for name, frame := range hostile(t) {
		conn, err := net.Dial("tcp", b.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(frame) // it may be cut off before all is written
		if answer, err := io.ReadAll(conn); len(answer) > 0 || errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%s: was answered %d bytes: %v", name, len(answer), err)
		}
		conn.Close()
	}
	w := newWriter(t, b.Cluster())
	if err := w.Append(within(t, patience), events(0, 1)); err != nil {
		t.Error(err)
	}
	gather(t, newSource(t, b.Cluster(), SourceOptions{}), 1)
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// An ordinary client, over TCP, in every compression.
func TestPortServesClients(t *testing.T) {
	b := openBroker(t, t.TempDir(), BrokerOptions{Listen: "127.0.0.1:0"})
	over := Dial([]string{b.Addr().String()}, Security{})
	defer over.Close()
	w := newWriter(t, over)
	n := 0
	for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
		w.events.Compression = codec
		if err := w.Append(within(t, patience), events(n, 3000)); err != nil {
			t.Fatalf("%v: %v", codec, err)
		}
		n += 3000
	}
	gather(t, newSource(t, over, SourceOptions{}), n)
	if err := Settle(within(t, patience), over, "rollcall-test"); err != nil {
		t.Error(err)
	}
}

// kcat is a client that nobody here wrote.
func TestKcat(t *testing.T) {
	path, err := exec.LookPath("kcat")
	if err != nil {
		t.Skip("kcat is not installed")
	}
	b := openBroker(t, t.TempDir(), BrokerOptions{Listen: "127.0.0.1:0"})
	ctx := within(t, patience)
	send := exec.CommandContext(ctx, path, "-b", b.Addr().String(), "-P", "-t", Events, "-H", "content-type=application/json")
	send.Stdin = strings.NewReader("one\ntwo\n")
	if out, err := send.CombinedOutput(); err != nil {
		t.Fatalf("kcat -P: %v\n%s", err, out)
	}
	visitors := map[string]int{"one": 1, "two": 2}
	s := newSource(t, b.Cluster(), SourceOptions{Decode: func(to []rollcall.Event, value []byte, kind string, _ time.Time, _ bool) ([]rollcall.Event, error) {
		if kind != "application/json" {
			t.Errorf("the record is of %q", kind)
		}
		e := events(visitors[string(value)], 1)[0]
		e.Time = time.Now()
		return append(to, e), nil
	}})
	gather(t, s, 2)
	read := exec.CommandContext(ctx, path, "-b", b.Addr().String(), "-C", "-t", Events, "-o", "beginning", "-e", "-q")
	if out, err := read.Output(); err != nil || len(strings.Fields(string(out))) != 2 {
		t.Errorf("kcat -C gave %q: %v", out, err)
	}
}

func FuzzCheckRecords(f *testing.F) {
	for _, frame := range [][]byte{
		produce(0, 1, record("x", 0)), produce(0, 1, record("x", 1<<60)), produce(0, 9, record("x", 0)), produce(7, 1, nil),
	} {
		f.Add(frame[4:])
	}
	f.Fuzz(func(t *testing.T, request []byte) {
		if len(request) < headerBytes {
			return // requests passes no less
		}
		if kind, version := kindOf(request); checkFrame(uint32(len(request)), kind, version) != nil {
			return
		}
		_ = checkRecords(request) // it may refuse, and must return
	})
}

func TestCheckRecordsTakesGoodOnes(t *testing.T) {
	good := append(record("x", 0), record("", 0)...)
	for codec, records := range map[int16][]byte{0: good, 1: gzipped(t, good)} {
		if err := checkRecords(produce(codec, 2, records)[4:]); err != nil {
			t.Errorf("codec %d: %v", codec, err)
		}
	}
}
