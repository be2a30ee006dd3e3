package engines

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

const topic = "engines.test"

func TestKafkaKeepsWhatItAcknowledged(t *testing.T) {
	k := Kafka(t)
	createTopic(t, k)
	produce(t, k, "before")
	wantMessages(t, k, "before")

	k.Kill()
	k.Restart()
	wantMessages(t, k, "before")

	produce(t, k, "after")
	k.Restart() // an orderly one
	wantMessages(t, k, "before", "after")
}

func TestKafkaPaused(t *testing.T) {
	k := Kafka(t)
	k.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := k.answers(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a paused Kafka answered with %v; want a timeout", err)
	}
	k.Resume()
	if err := k.answers(t.Context()); err != nil {
		t.Fatalf("resumed: %v", err)
	}
}

func TestKafkaTakesProperties(t *testing.T) {
	k := Kafka(t, "message.max.bytes=1000")
	createTopic(t, k)
	w := writer(k)
	defer closed(t, w.Close)
	err := w.WriteMessages(t.Context(), kafka.Message{Value: make([]byte, 2000)})
	var each kafka.WriteErrors
	if !errors.As(err, &each) || !errors.Is(each[0], kafka.MessageSizeTooLarge) {
		t.Fatalf("2,000 bytes at message.max.bytes=1000: %v; want MessageSizeTooLarge", err)
	}
}

func createTopic(t *testing.T, k *KafkaServer) {
	t.Helper()
	client := kafka.Client{Addr: kafka.TCP(k.Addr())}
	done, err := client.CreateTopics(t.Context(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{{Topic: topic, NumPartitions: 1, ReplicationFactor: 1}},
	})
	if err != nil {
		t.Fatalf("create topic: %v", err)
	}
	if err := done.Errors[topic]; err != nil {
		t.Fatalf("create topic: %v", err)
	}
}

func writer(k *KafkaServer) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(k.Addr()), Topic: topic,
		RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond,
	}
}

func produce(t *testing.T, k *KafkaServer, value string) {
	t.Helper()
	w := writer(k)
	defer closed(t, w.Close)
	if err := w.WriteMessages(t.Context(), kafka.Message{Value: []byte(value)}); err != nil {
		t.Fatalf("produce %q: %v", value, err)
	}
}

// wantMessages reads the topic from its start; a message too few is a timeout.
func wantMessages(t *testing.T, k *KafkaServer, values ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{k.Addr()}, Topic: topic, MaxWait: 100 * time.Millisecond})
	defer closed(t, r.Close)
	for i, want := range values {
		got, err := r.ReadMessage(ctx)
		if err != nil {
			t.Fatalf("read message %d: %v", i, err)
		}
		if string(got.Value) != want || got.Offset != int64(i) {
			t.Fatalf("message %d is %q at offset %d; want %q", i, got.Value, got.Offset, want)
		}
	}
}

func closed(t *testing.T, closer func() error) {
	t.Helper()
	if err := closer(); err != nil {
		t.Errorf("close: %v", err)
	}
}
