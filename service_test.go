package rollcall_test

import (
	"errors"
	"testing"

	"rollcall"
)

func TestCheckLine(t *testing.T) {
	for text, good := range map[string]bool{
		"": true, "Voilà Messager": true, "a\tb": false, "a\nb": false, "a\x00": false, "\x1b[2J": false, "a\u0085b": false, "a\u2028b": false, "a\u202eb": false, "a\u2066b": false, "مسنجر": true, "\xff": false,
	} {
		if err := rollcall.CheckLine("name", text); (err == nil) != good || err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%q: %v", text, err)
		}
		if line := rollcall.OneLine(text); rollcall.CheckLine("name", line) != nil || good && line != text {
			t.Errorf("%q becomes %q", text, line)
		}
	}
	for _, s := range []rollcall.Service{{ID: "a", Name: "A\n"}, {ID: "a", Name: "A", Brand: "\x07"}, {ID: "a", Name: "A", Owner: "\r"}} {
		if err := s.Validate(); !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestReservedServices(t *testing.T) {
	for id, good := range map[rollcall.ServiceID]bool{"any": false, "none": false, "online": true, "msn": true, "anyone": true} {
		service := rollcall.Service{ID: id, Name: "A"}
		if _, err := rollcall.NewCatalogue(nil, []rollcall.Service{service}); err != nil {
			t.Errorf("a store that has %q: %v", id, err)
		}
		err := service.ValidateNew()
		if (err == nil) != good || err != nil && !errors.Is(err, rollcall.ErrInvalid) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
