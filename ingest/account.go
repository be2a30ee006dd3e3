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
	switch service { // hasRule names the same
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

// hasRule reports whether a service has a rule of its own.
func hasRule(service rollcall.ServiceID) bool {
	return service == "aim" || service == "icq" || service == "jabber" || service == "yahoo"
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
