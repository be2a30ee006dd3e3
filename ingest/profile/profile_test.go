package profile

import "testing"

// TestBuiltin holds that every profile of schemas/sources can be read.
func TestBuiltin(t *testing.T) {
	for _, name := range Names() {
		if _, err := Builtin(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := Builtin("synapsee"); err == nil {
		t.Error("an unknown profile was read")
	}
}
