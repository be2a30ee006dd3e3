package ingest

import (
	"strings"

	"rollcall"
)

// Normalise gives the one spelling of an account by which its service knows
// it, so that two spellings of one account get one pseudonym. A service
// without a rule has its accounts trimmed and put in lower case.
func Normalise(service rollcall.ServiceID, account string) string {
	account = lower(strings.TrimSpace(account))
	switch service { // shortened names the same
	case "aim": // the server ignores case and spaces
		return strings.ReplaceAll(account, " ", "")
	case "icq": // a number, often written in groups
		return strings.ReplaceAll(strings.ReplaceAll(account, "-", ""), " ", "")
	case "jabber": // the bare address: a resource is a device, not a person
		bare, _, _ := strings.Cut(account, "/")
		return bare
	case "yahoo": // the name is the part before the service's own domain
		return strings.TrimSuffix(account, "@yahoo.com")
	}
	return account
}

// shortened reports whether Normalise takes something other than space out of an
// account.
func shortened(service rollcall.ServiceID, account string) bool {
	switch service {
	case "icq":
		return strings.IndexByte(account, '-') >= 0
	case "jabber":
		return strings.IndexByte(account, '/') >= 0
	case "yahoo":
		return strings.HasSuffix(account, "@yahoo.com")
	}
	return false
}

// lower is strings.ToLower without an allocation for what is lower already.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; 'A' <= c && c <= 'Z' || c >= 0x80 {
			return strings.ToLower(s)
		}
	}
	return s
}
