package columnar

import (
	"context"
	"time"

	"rollcall/ingest"
)

// rows takes the rows of a table whose columns are codes, where the same codes
// have been taken before: what goes for one of the market, service, location and
// so on then goes for the next, and what an account's pseudonym is.
type rows struct {
	account  *coded
	accounts *ingest.Accounts
	mixed    []*coded // the columns that together are a group
	groups   map[uint64]*ingest.KnownGroup
	direct   []*ingest.KnownGroup // the same, where the codes make few
}

// maxDirect is how many groups are found by their place, and maxGroups how many
// are remembered of others.
const (
	maxDirect = 1 << 14
	maxGroups = 1 << 12
)

// rowsOf gives nil for a table whose rows are to be looked at one by one.
func rowsOf(t *table) *rows {
	account, ok := t.texts[columnAccount].(*coded)
	if !ok || t.times[columnTime] == nil || t.texts[columnUntil] != (blank{}) {
		return nil
	}
	r := &rows{account: account, accounts: ingest.NewAccounts(account.words, t.rows)}
	product := uint64(1)
	for _, column := range []int{
		columnMarket, columnService, columnLocation, columnKind, columnPanel, columnPanelist,
		columnPlatform, columnSegment, columnPrecision,
	} {
		switch of := t.texts[column].(type) {
		case blank:
			continue
		case *coded:
			r.mixed = append(r.mixed, of)
			product *= uint64(len(of.words) + 1)
		default:
			return nil
		}
		if product > 1<<40 {
			return nil
		}
	}
	if product <= maxDirect {
		r.direct = make([]*ingest.KnownGroup, product)
	} else {
		r.groups = make(map[uint64]*ingest.KnownGroup)
	}
	return r
}

// mix gives a number for the group's codes that row i has.
func (r *rows) mix(i int) uint64 {
	mixed := uint64(0)
	for _, of := range r.mixed {
		mixed = mixed*uint64(len(of.words)+1) + uint64(of.codes[i]+1)
	}
	return mixed
}

// known gives what is known of a group; nil: nothing.
func (r *rows) known(mixed uint64) *ingest.KnownGroup {
	if r.direct != nil {
		return r.direct[mixed]
	}
	return r.groups[mixed]
}

// remember takes note of a group; nil: nothing is known of it.
func (r *rows) remember(mixed uint64, group *ingest.KnownGroup) {
	if r.direct != nil {
		r.direct[mixed] = group
		return
	}
	if len(r.groups) >= maxGroups {
		clear(r.groups)
	}
	r.groups[mixed] = group
}

// take takes row i; false: it is to be looked at by itself.
func (r *rows) take(ctx context.Context, in *ingest.Batcher, t *table, i int) (bool, error) {
	account := r.account.codes[i]
	if account < 0 {
		return false, nil
	}
	group := r.known(r.mix(i))
	if group == nil {
		return false, nil
	}
	at, ok := t.times[columnTime].at(i)
	if !ok {
		return false, nil
	}
	var until time.Time
	if t.times[columnUntil] != nil {
		until, _ = t.times[columnUntil].at(i)
	}
	return in.Row(ctx, group, r.accounts, int(account), at, until)
}
