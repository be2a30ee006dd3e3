package kafka_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"rollcall/internal/kafka"
	"rollcall/internal/test/logtest"
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

func ensure(t *testing.T, c *kafka.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := c.EnsureTopics(ctx, logtest.Partitions); err != nil {
		t.Fatal(err)
	}
}
