package rollcall

import (
	"context"
	"time"
)

// Errand names one thing that a scheduled close has to do: to close a month,
// or to tell somebody of it.
type Errand struct {
	PanelMonth
	Version int    // told of; 0: of no version, but of the month
	Cause   string // the code of why the month was not closed; "": of no such thing
	To      string // who is told, or what is done, by a name that holds no secret
}

// Delivery is where an errand stands. Each change of it is a step of its own,
// which one process alone can take; so of several processes one does the work.
type Delivery struct {
	Errand
	Step   int           // 1, 2, ...
	State  DeliveryState // what the step made of it
	Until  time.Time     // held: the holder's until then; waiting: not tried before
	Tries  int           // so far
	Since  time.Time     // of its first step
	Time   time.Time     // of this one
	Holder string        // the process that took the step
	Text   string        // what is told beside the version: why there is none
	Error  string        // why the last try failed; it holds no secret
}

// DeliveryState says what is to be done about an errand.
type DeliveryState string

// The states. The last two are the end.
const (
	Waiting   DeliveryState = "waiting"
	Held      DeliveryState = "held"
	Delivered DeliveryState = "delivered"
	GivenUp   DeliveryState = "given up"
)

// DeliveryLog is where every errand stands, step by step.
type DeliveryLog interface {
	// AddDelivery fails with ErrConflict where the errand's last step is not the
	// one before.
	AddDelivery(ctx context.Context, d Delivery) error
	// Deliveries gives the last step of every errand that is not at its end.
	Deliveries(ctx context.Context) ([]Delivery, error)
}
