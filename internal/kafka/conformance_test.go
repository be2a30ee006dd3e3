package kafka_test

import (
	"testing"

	"rollcall/internal/kafka"
	"rollcall/internal/test/logtest"
)

func TestConformance(t *testing.T) {
	logtest.Run(t, func(t *testing.T) *kafka.Cluster { return openBroker(t).Cluster() })
}
