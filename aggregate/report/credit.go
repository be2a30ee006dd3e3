package report

import "rollcall"

// Credit is the rule by which events count, printed on every report.
type Credit string

// The credit rules. Auto-started clients are presence, not use.
const (
	ByPresence Credit = "presence" // login, presence and use
	ByUse      Credit = "use"      // use alone
)

// ParseCredit reads a rule; "" is presence.
func ParseCredit(s string) (Credit, error) {
	switch c := Credit(s); c {
	case "":
		return ByPresence, nil
	case ByPresence, ByUse:
		return c, nil
	}
	return "", &rollcall.Invalid{Field: "credit", Value: s, Reason: "is not presence or use", Code: "credit"}
}

// Counts reports whether an event of the kind is credited.
func (c Credit) Counts(k rollcall.Kind) bool {
	return k == rollcall.Use || c == ByPresence && k.Counts()
}
