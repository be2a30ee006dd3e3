package server

import (
	"errors"
	"testing"
)

// TestNoLog: a process without a log says so, whatever is asked of its log.
func TestNoLog(t *testing.T) {
	p := &Process{}
	if _, err := (rejected{p}).Resend(t.Context()); !errors.Is(err, errNoLog) {
		t.Errorf("resend: %v", err)
	}
	if err := (eventLog{p}).Settle(t.Context()); !errors.Is(err, errNoLog) {
		t.Errorf("settle: %v", err)
	}
	for _, err := range (rejected{p}).Rejected(t.Context()) {
		if !errors.Is(err, errNoLog) {
			t.Errorf("rejected: %v", err)
		}
	}
}
