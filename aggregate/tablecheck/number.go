package tablecheck

import (
	"strings"
	"unicode"
)

// plainNumber takes off what printed numbers wear: a percent sign, and spaces,
// apostrophes and points or commas between thousands; what is left has a point before the
// decimals. decimal is the mark that stands there; "": the last mark that the number has,
// of numbers that have no thousands. ok is false of what is no such number.
func plainNumber(s, decimal string) (plain string, ok bool) {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '\'' || r == '\u2019' {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSuffix(s, "%")
	if s == "" || strings.Trim(s, "0123456789.,") != "" {
		return "", false
	}
	if decimal == "" {
		decimal = "."
		if at := strings.LastIndexAny(s, ".,"); at >= 0 {
			decimal = s[at : at+1]
		}
	}
	thousands := ","
	if decimal == "," {
		thousands = "."
	}
	whole, fraction, has := strings.Cut(s, decimal)
	if strings.ContainsAny(fraction, ".,") || !grouped(strings.Split(whole, thousands)) {
		return "", false
	}
	whole = strings.ReplaceAll(whole, thousands, "")
	if !has {
		return whole, true
	}
	return whole + "." + fraction, true
}

// grouped reports whether the digits between marks can be a number's: three in the last
// group, two or three in others, as India has them.
func grouped(groups []string) bool {
	last := len(groups) - 1
	for i, group := range groups {
		switch n := len(group); {
		case last == 0:
		case i == 0 && (n < 1 || n > 3 || group[0] == '0'), i == last && n != 3, i > 0 && (n < 2 || n > 3):
			return false
		}
	}
	return true
}
