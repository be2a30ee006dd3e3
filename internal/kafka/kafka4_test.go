package kafka_test

import (
	"context"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"rollcall"
	"rollcall/internal/kafka"
	"rollcall/internal/test/engines"
	"rollcall/internal/test/logtest"
)

// TestConformanceOnKafka holds Apache Kafka to the suite of the embedded broker.
func TestConformanceOnKafka(t *testing.T) {
	server := engines.Kafka(t)
	logtest.Run(t, func(t *testing.T) *kafka.Cluster { return emptyCluster(t, server.Addr()) })
}

// emptyCluster makes the server's topics anew.
func emptyCluster(t *testing.T, addr string) *kafka.Cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client := kafkago.Client{Addr: kafkago.TCP(addr), Timeout: 10 * time.Second, Transport: &kafkago.Transport{MetadataTTL: 50 * time.Millisecond}}
	res, err := client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: []string{kafka.Events, kafka.Rejects}})
	if err != nil {
		t.Fatal(err)
	}
	for topic, err := range res.Errors {
		if err != nil && !errors.Is(err, kafkago.UnknownTopicOrPartition) {
			t.Fatalf("delete topic %s: %v", topic, err)
		}
	}
	c := kafka.Dial([]string{addr}, kafka.Security{})
	t.Cleanup(c.Close)
	if err := c.EnsureTopics(ctx, logtest.Partitions); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKcat feeds the topic with a client that nobody here wrote, and reads it.
func TestKcat(t *testing.T) {
	engines.Require(t, engines.Kcat)
	addr := engines.Kafka(t).Addr()
	c := emptyCluster(t, addr)
	ctx := logtest.Within(t, time.Minute)
	send := exec.CommandContext(ctx, "kcat", "-b", addr, "-P", "-t", kafka.Events, "-H", "content-type=application/json")
	send.Stdin = strings.NewReader("one\ntwo\n")
	if out, err := send.CombinedOutput(); err != nil {
		t.Fatalf("kcat -P: %v\n%s", err, out)
	}
	visitors := map[string]int{"one": 1, "two": 2}
	s := logtest.Source(t, c, kafka.SourceOptions{Decode: func(to []rollcall.Event, value []byte, kind string, _ time.Time, _ bool) ([]rollcall.Event, error) {
		if kind != "application/json" {
			t.Errorf("the record is of %q", kind)
		}
		e := logtest.Events(visitors[string(value)], 1)[0]
		e.Time = time.Now()
		return append(to, e), nil
	}})
	logtest.Gather(t, s, 2)
	read := exec.CommandContext(ctx, "kcat", "-b", addr, "-C", "-t", kafka.Events, "-o", "beginning", "-e", "-q")
	if out, err := read.Output(); err != nil || len(strings.Fields(string(out))) != 2 {
		t.Errorf("kcat -C gave %q: %v", out, err)
	}
}
