package kafka_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"rollcall/internal/engines"
	"rollcall/internal/kafka"
	"rollcall/internal/logtest"

	kafkago "github.com/segmentio/kafka-go"
)

func TestConformance(t *testing.T) {
	logtest.Run(t, func(t *testing.T) *kafka.Cluster {
		opt := kafka.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: logtest.Now}
		b, err := kafka.OpenBroker(t.TempDir(), kafka.BrokerOptions{Options: opt})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		ensure(t, b.Cluster())
		return b.Cluster()
	})
}

// The same on Apache Kafka, which kafka-go's own tests do not run at version 4.
func TestConformanceOnApacheKafka(t *testing.T) {
	server := engines.Kafka(t)
	logtest.Run(t, func(t *testing.T) *kafka.Cluster {
		removeTopics(t, server.Addr())
		c := kafka.Dial([]string{server.Addr()}, kafka.Security{})
		t.Cleanup(c.Close)
		ensure(t, c)
		return c
	})
}

func ensure(t *testing.T, c *kafka.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.EnsureTopics(ctx, logtest.Partitions); err != nil {
		t.Fatal(err)
	}
}

// removeTopics leaves the server without the log's topics.
func removeTopics(t *testing.T, addr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := &kafkago.Client{Addr: kafkago.TCP(addr), Transport: &kafkago.Transport{}}
	topics := []string{kafka.Events, kafka.Rejects}
	if _, err := client.DeleteTopics(ctx, &kafkago.DeleteTopicsRequest{Topics: topics}); err != nil {
		t.Fatal(err)
	}
	conn, err := kafkago.DialContext(ctx, "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, topic := range topics {
		for err = nil; !errors.Is(err, kafkago.UnknownTopicOrPartition); {
			if _, err = conn.ReadPartitions(topic); ctx.Err() != nil {
				t.Fatalf("topic %s is still there: %v", topic, err)
			}
		}
	}
}
