package report

import "rollcall"

// Short names of the vocabulary that most of this package speaks.
type (
	Credit  = rollcall.Credit
	Place   = rollcall.Place
	Request = rollcall.Query
)

// The places and credit rules.
const (
	AtHome   = rollcall.AtHome
	AtWork   = rollcall.AtWork
	HomeWork = rollcall.HomeWork
	Both     = rollcall.Both
	HomeOnly = rollcall.HomeOnly
	WorkOnly = rollcall.WorkOnly

	ByPresence = rollcall.ByPresence
	ByUse      = rollcall.ByUse
)
