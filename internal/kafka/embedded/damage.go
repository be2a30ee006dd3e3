package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"rollcall/internal/jsondepth"
	"rollcall/internal/kafka"
)

// kfake cuts a log file at the first batch that is not what its checksum says,
// with all that is behind it, and what it then appends to that file it can't read.
// So a start looks first: what is sound behind the damage is set aside, the file
// is cut, and when kfake runs what was set aside is appended again. What can't be
// read is counted, and stays counted until somebody acknowledges it.

// Damage is what the embedded log has lost since it was last acknowledged.
type Damage struct {
	Since   time.Time `json:"since"`   // when it was first found
	Bytes   int64     `json:"bytes"`   // that can't be read
	Records int64     `json:"records"` // in them, as far as their places in the log tell
	Moved   int64     `json:"moved"`   // batches that were behind them, and were appended again
}

const (
	damageFile  = "damage.json"
	asideFolder = "behind-damage"
	asideEnding = ".batches"

	headBytes    = 61 // of a record batch; rawBatch in package kafka says what they are
	offsetsAhead = 1 << 20
)

// Damage gives what was lost; Since is zero where nothing was.
func (b *Broker) Damage() (d Damage, err error) {
	text, err := os.ReadFile(filepath.Join(b.dir, damageFile))
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = jsondepth.Unmarshal(text, &d)
	}
	if err != nil {
		return d, fmt.Errorf("embedded: read what was damaged: %w", err)
	}
	return d, nil
}

// Acknowledge gives what was lost, and forgets it.
func (b *Broker) Acknowledge() (Damage, error) {
	d, err := b.Damage()
	if err != nil || d.Since.IsZero() {
		return d, err
	}
	if err := os.Remove(filepath.Join(b.dir, damageFile)); err != nil {
		return d, fmt.Errorf("embedded: acknowledge damage: %w", err)
	}
	b.opt.Log.Warn("damage of the embedded log was acknowledged", "since", d.Since, "bytes", d.Bytes, "records", d.Records)
	return d, syncDir(b.dir)
}

// addDamage adds to what is not yet acknowledged.
func (b *Broker) addDamage(more Damage) error {
	d, err := b.Damage()
	if err != nil {
		return err
	}
	if d.Since.IsZero() {
		d.Since = b.opt.Now().UTC()
	}
	d.Bytes, d.Records, d.Moved = d.Bytes+more.Bytes, d.Records+more.Records, d.Moved+more.Moved
	text, err := json.Marshal(d)
	if err == nil {
		err = writeSynced(filepath.Join(b.dir, damageFile), text)
	}
	if err != nil {
		return fmt.Errorf("embedded: note what was damaged: %w", err)
	}
	return syncDir(b.dir)
}

// writeSynced writes a file that is whole or not there, also after a crash.
func writeSynced(path string, text []byte) error {
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// inspect looks at every log file before kfake does, cuts it where it is damaged,
// and reports whether one was. After a stop that was not clean the last file of a partition
// may end in a batch that was being written: nobody was told that it was there.
func (b *Broker) inspect(data string, clean bool) (damaged bool, err error) {
	folders, err := filepath.Glob(filepath.Join(data, "partitions", "*"))
	if err != nil {
		return false, err
	}
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return false, fmt.Errorf("look at the log: %w", err)
		}
		bases := segmentBases(entries)
		for i, base := range bases {
			torn := !clean && i == len(bases)-1
			cut, err := b.inspectFile(filepath.Join(folder, fmt.Sprintf("%d.dat", base)), base, torn)
			if err != nil {
				return damaged, fmt.Errorf("look at the log: %w", err)
			}
			damaged = damaged || cut
		}
	}
	return damaged, nil
}

func (b *Broker) inspectFile(path string, base int64, torn bool) (damaged bool, err error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	sound, behind, lost := inspectBatches(raw, base)
	if sound == len(raw) {
		return false, nil
	}
	if torn && len(behind) == 0 {
		b.opt.Log.Info("the log ends in a batch that was being written", "file", path, "bytes", len(raw)-sound)
		return true, cutFile(path, int64(sound))
	}
	b.opt.Log.Error("the log is damaged; what is sound behind it is appended again",
		"file", path, "at", sound, "bytes lost", lost.Bytes, "records lost", lost.Records, "batches behind", len(behind))
	if len(behind) > 0 {
		name := fmt.Sprintf("%s-%d-%d%s", filepath.Base(filepath.Dir(path)), base, sound, asideEnding)
		if err := b.setAside(name, bytes.Join(behind, nil)); err != nil {
			return true, err
		}
	}
	return true, errors.Join(b.addDamage(lost), cutFile(path, int64(sound)))
}

func cutFile(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Sync(), f.Close())
}

func (b *Broker) setAside(name string, batches []byte) error {
	folder := filepath.Join(b.dir, asideFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return errors.Join(writeSynced(filepath.Join(folder, name), batches), syncDir(folder))
}

// inspectBatches gives how far a log file is sound, the sound batches behind the
// first damage, and what can't be read.
func inspectBatches(raw []byte, next int64) (sound int, behind [][]byte, lost Damage) {
	for at := 0; at < len(raw); {
		n, first, after := soundBatch(raw[at:], next)
		switch {
		case n == 0:
			lost.Bytes++
			at++
			continue
		case sound < at: // behind damage
			behind = append(behind, raw[at:at+n])
			lost.Records += first - next
		default:
			sound += n
		}
		at, next = at+n, after
	}
	if tail := raw[sound:]; len(behind) == 0 && len(tail) >= headBytes {
		lost.Records = claimed(tail)
	}
	return sound, behind, lost
}

// soundBatch gives the length of the batch that raw begins with, and its offsets;
// 0: there is none that is what its checksum says, not far behind the offset.
func soundBatch(raw []byte, from int64) (n int, first, next int64) {
	if len(raw) < headBytes || raw[16] != 2 {
		return 0, 0, 0
	}
	length := int64(binary.BigEndian.Uint32(raw[8:])) + 12
	if length < headBytes || length > int64(len(raw)) {
		return 0, 0, 0
	}
	first = int64(binary.BigEndian.Uint64(raw))
	last := int64(int32(binary.BigEndian.Uint32(raw[23:])))
	if first < from || first-from > offsetsAhead || last < 0 || crc32.Checksum(raw[21:length], crc32.MakeTable(crc32.Castagnoli)) != binary.BigEndian.Uint32(raw[17:]) {
		return 0, 0, 0
	}
	return int(length), first, first + last + 1
}

// claimed is how many records a damaged batch says that it has, if it can be
// believed.
func claimed(raw []byte) int64 {
	n := int64(int32(binary.BigEndian.Uint32(raw[57:])))
	if n < 0 || n > offsetsAhead {
		return 0
	}
	return n
}

// putBack appends what was set aside, also by a start that did not come so far.
// Done twice it changes nothing.
func (b *Broker) putBack(ctx context.Context, client *kafkago.Client) error {
	files, err := filepath.Glob(filepath.Join(b.dir, asideFolder, "*"+asideEnding))
	if err != nil {
		return err
	}
	for _, file := range files {
		n, err := putBackFile(ctx, client, file)
		if err == nil {
			err = errors.Join(b.addDamage(Damage{Moved: n}), os.Remove(file))
		}
		if err != nil {
			return fmt.Errorf("append what is sound behind damage, %s: %w", file, err)
		}
	}
	return nil
}

func putBackFile(ctx context.Context, client *kafkago.Client, file string) (n int64, err error) {
	topic, partition, ok := partitionOf(filepath.Base(file))
	if !ok {
		return 0, nil // not a topic of ours
	}
	raw, err := os.ReadFile(file)
	for err == nil && len(raw) >= headBytes {
		size, _, _ := soundBatch(raw, int64(binary.BigEndian.Uint64(raw)))
		if size == 0 {
			return n, nil // a file that was damaged too
		}
		err = produce(ctx, client, topic, partition, raw[:size])
		raw = raw[size:]
		n++
	}
	return n, err
}

// partitionOf reads a name such as rollcall.events-1-4711-0.batches.
func partitionOf(name string) (topic string, partition int, ok bool) {
	for _, topic := range []string{kafka.Events, kafka.Rejects} {
		rest, found := strings.CutPrefix(name, topic+"-")
		if !found {
			continue
		}
		number, _, _ := strings.Cut(rest, "-")
		partition, err := strconv.Atoi(number)
		return topic, partition, err == nil
	}
	return "", 0, false
}

// produce appends a batch as it is; the broker gives it new offsets.
func produce(ctx context.Context, client *kafkago.Client, topic string, partition int, batch []byte) error {
	binary.BigEndian.PutUint64(batch, 0) // its first offset, which the checksum leaves out
	records := append(binary.BigEndian.AppendUint32(nil, uint32(len(batch))), batch...)
	res, err := client.RawProduce(ctx, &kafkago.RawProduceRequest{
		Topic: topic, Partition: partition, RequiredAcks: kafkago.RequireAll,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(records)},
	})
	if err != nil {
		return err
	}
	return res.Error
}

// register makes what was lost metrics, and what was removed.
func (b *Broker) register(r prometheus.Registerer) error {
	b.removed = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "rollcall_log_rejected_removed_total", Help: "Inputs removed from the embedded log's rejected topic at its bound.",
	})
	if r == nil {
		return nil
	}
	gauge := func(name, help string, value func(Damage) int64) error {
		return r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			d, err := b.Damage()
			if err != nil {
				return -1
			}
			return float64(value(d))
		}))
	}
	return errors.Join(
		r.Register(b.removed),
		gauge("rollcall_log_damaged_bytes", "Bytes of the embedded log that can't be read, since they were last acknowledged; -1: what is known of it can't be read either.", func(d Damage) int64 { return d.Bytes }),
		gauge("rollcall_log_damaged_records", "Records in them, as far as is known.", func(d Damage) int64 { return d.Records }),
	)
}
