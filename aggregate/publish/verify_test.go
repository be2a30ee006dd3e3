package publish_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/sqlite"
)

// TestVerifyFindsOtherBytes: a store that gives other bytes is found out.
func TestVerifyFindsOtherBytes(t *testing.T) {
	h := newPanel(t).filled()
	p := h.close(rollcall.ClosePlan{Of: october})
	if err := h.VerifyPublication(context.Background(), p); err != nil {
		t.Fatal(err)
	}
	h.Store = rotten{h.store}
	if err := h.VerifyPublication(context.Background(), p); !errors.Is(err, rollcall.ErrIncoherent) {
		t.Errorf("a rotten store is verified: %v", err)
	}
	wrong := p
	wrong.Month++
	h.Store = h.store
	if err := h.VerifyPublication(context.Background(), wrong); !errors.Is(err, rollcall.ErrIncoherent) {
		t.Errorf("a document of another month is verified: %v", err)
	}
}

// TestVerifyFindsOtherRows: what the store says of a version has to suit its
// document and the versions before it.
func TestVerifyFindsOtherRows(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(list []rollcall.Publication) []rollcall.Publication
		says  string
	}{
		{"sound", func(list []rollcall.Publication) []rollcall.Publication { return list }, ""},
		{"internal made public", func(list []rollcall.Publication) []rollcall.Publication {
			list[1].Internal = false
			return list
		}, "internal is false where its limits of 0 and 0 make it true"},
		{"public made internal", func(list []rollcall.Publication) []rollcall.Publication {
			list[2].Internal = true
			return list
		}, "internal is true where its limits of 30 and 60 make it false"},
		{"final made preliminary", func(list []rollcall.Publication) []rollcall.Publication {
			list[0].Status = rollcall.Preliminary
			list[2].Status = rollcall.Final
			list[3].Status = rollcall.Preliminary
			return list
		}, "can't follow version 3, which is final"},
		{"a row taken out", func(list []rollcall.Publication) []rollcall.Publication { return append(list[:1], list[2:]...) }, "version 2 is missing"},
	} {
		h := newPanel(t).filled()
		h.close(rollcall.ClosePlan{Of: october, Status: rollcall.Final})
		h.close(closing(october, all()))
		h.close(rollcall.ClosePlan{Of: october, Status: rollcall.Restated, Reason: "a meter"})
		h.close(rollcall.ClosePlan{Of: october, Status: rollcall.Restated, Reason: "another", Confidence: new(0.9)})
		list, err := h.Publications(context.Background(), "FR", "nn")
		if err != nil {
			t.Fatal(err)
		}
		list = c.spoil(list)
		h.Store = rows{h.store, list}
		var found error
		for _, p := range list {
			found = errors.Join(found, h.VerifyPublication(context.Background(), p))
		}
		if c.says == "" && found != nil || c.says != "" && (!errors.Is(found, rollcall.ErrIncoherent) || !strings.Contains(found.Error(), c.says)) {
			t.Errorf("%s: %v", c.name, found)
		}
	}
}

// rows is a store whose list of versions somebody has written to.
type rows struct {
	*sqlite.Store
	list []rollcall.Publication
}

// Publications gives that list.
func (r rows) Publications(context.Context, rollcall.MarketID, rollcall.PanelID) ([]rollcall.Publication, error) {
	return slices.Clone(r.list), nil
}

// rotten is a store in which the last byte of every object has decayed.
type rotten struct{ rollcall.Store }

func (r rotten) Object(ctx context.Context, of rollcall.Hash) ([]byte, error) {
	b, err := r.Store.Object(ctx, of)
	if err != nil {
		return nil, err
	}
	b = append([]byte(nil), b...)
	b[len(b)-1]++
	return b, nil
}
