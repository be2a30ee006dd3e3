package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

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
