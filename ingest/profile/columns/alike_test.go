package columns

import "testing"

// TestAlike: names are alike that differ in capitals, "_" and "-" alone.
func TestAlike(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"is_bot", "Is_Bot", true}, {"is_bot", "isBot", true}, {"is_bot", "is-bot", true}, {"user_agent", "USERAGENT_", true},
		{"\xc9t\xe9", "\xc9t\xe9", false}, {"Été", "été", true}, {"\xff", "\xff\xff", false}, {"", "_", true},
		{"is_bot", "is_bot", false}, {"is_bot", "is_bots", false}, {"role", "roles", false}, {"a\x00b", "a", false},
	} {
		if alike(tt.a, tt.b) != tt.want || alike(tt.b, tt.a) != tt.want {
			t.Errorf("%q, %q: not %v", tt.a, tt.b, tt.want)
		}
	}
}
