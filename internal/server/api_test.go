package main

import (
	"errors"
	"io"
	"testing"
)

// TestNoLog: a process without a log says so, whatever is asked of its log.
func TestNoLog(t *testing.T) {
	d := &deployment{log: newLogger(io.Discard, false)}
	if _, err := (rejected{d}).Resend(t.Context()); !errors.Is(err, errNoLog) {
		t.Errorf("resend: %v", err)
	}
	if err := (eventLog{d}).Settle(t.Context()); !errors.Is(err, errNoLog) {
		t.Errorf("settle: %v", err)
	}
	for _, err := range (rejected{d}).Rejected(t.Context()) {
		if !errors.Is(err, errNoLog) {
			t.Errorf("rejected: %v", err)
		}
	}
}
