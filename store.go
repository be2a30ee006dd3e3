package rollcall

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Store is an engine of the store. It is the one interface to it, for every
// stage. The order of what a list gives is the engine's own unless said; rows
// are valid until the next step of their sequence, and an error ends them. What
// is not there is ErrNotFound.
type Store interface { //nolint:interfacebloat // one vocabulary for all stages instead of an interface a caller (decision 8)
	ID() string // a new store has a new one
	K() int     // the precision of its sketches
	Close() error

	// Merge unites deltas with the facts. Those of months that have aged out
	// are left out, and counted by LeftOut. Nobody sees cells that were folded
	// without a removal which covers them (Deltas.Known).
	Merge(ctx context.Context, deltas Deltas) error
	LeftOut() int64

	// Cells come by service, Diaries by panelist, day, service, location, kind
	// and key.
	Cells(ctx context.Context, q CellQuery) iter.Seq2[CellRow, error]
	Diaries(ctx context.Context, q DiaryQuery) iter.Seq2[DiaryRow, error]
	CorrectionList
	// Erase removes a panelist's diaries of every month.
	Erase(ctx context.Context, panel PanelID, panelist Visitor) (rows int, err error)
	ErasureCounts

	Markets(ctx context.Context) ([]Market, error)
	PutMarket(ctx context.Context, m Market) error
	Holdings
	Services(ctx context.Context) ([]Service, error)
	PutService(ctx context.Context, s Service) error
	SegmentCatalogue

	// PutPanelObjects replaces what the month is weighted with; the objects
	// named before stay.
	PutPanelObjects(ctx context.Context, o PanelObjects) error
	PanelObjects(ctx context.Context, of PanelMonth) (PanelObjects, error)
	ListPanelObjects(ctx context.Context) ([]PanelObjects, error)
	PutPanelLimits(ctx context.Context, l PanelLimits) error
	PanelLimits(ctx context.Context, market MarketID, panel PanelID) (PanelLimits, error)
	AddExclusion(ctx context.Context, e Exclusion) error
	Exclusions(ctx context.Context, of PanelMonth) ([]Exclusion, error)

	// PutObject stores bytes under their hash: twice changes nothing.
	PutObject(ctx context.Context, body []byte) (Hash, error)
	Object(ctx context.Context, of Hash) ([]byte, error)

	// AddPublication fails with ErrConflict where the version is taken.
	AddPublication(ctx context.Context, p Publication) error
	Publications(ctx context.Context, market MarketID, panel PanelID) ([]Publication, error) // of all panels where panel is empty
	// Withdraw marks a version; of several withdrawals of one the first stands.
	Withdraw(ctx context.Context, w Withdrawal) error

	SaveTarget(ctx context.Context, name, expression string) error
	Targets(ctx context.Context) (expressions map[string]string, err error)

	// Ageings come with the earliest month first. Rosters gives every roster
	// that the months before ever had. RemoveFacts removes those months' cells,
	// diaries and exclusions. A removal that broke off is completed by the next.
	AddAgeing(ctx context.Context, a Ageing) error
	Ageings(ctx context.Context) ([]Ageing, error)
	Rosters(ctx context.Context, before Month) ([]Hash, error)
	RemoveObjects(ctx context.Context, hashes []Hash) (removed int, err error)
	RemoveFacts(ctx context.Context, before Month) (rows int, err error)

	// Masters are the master keys that the facts' pseudonyms were made under,
	// the earliest first. One of the same id again changes nothing.
	AddMaster(ctx context.Context, m Master) error
	Masters(ctx context.Context) ([]Master, error)

	// A fact that can't be decoded is set aside whole when it is come by, and
	// the rest goes on: its row is then that of nothing, until the log is
	// replayed. Check reads everything, and with repair sets aside what is
	// damaged. ForgetSetAside drops what was set aside.
	Check(ctx context.Context, repair bool) (StoreCheck, error)
	SetAside(ctx context.Context) ([]Damage, error)
	ForgetSetAside(ctx context.Context) error
}

// CorrectionList is what was done about mistakes in the census.
type CorrectionList interface {
	// AddCorrections records what was done about mistakes in the census, and
	// does it: the cells of a removal are deleted, and the account of an erasing
	// is taken out of the sets; rows is how many of both were. Those that are
	// recorded already are done again. Corrections come with the earliest first.
	AddCorrections(ctx context.Context, all ...Correction) (rows int, err error)
	Corrections(ctx context.Context) (Corrections, error)
	// CountCorrections gives a number that is another whenever one was recorded:
	// none is ever taken away.
	CountCorrections(ctx context.Context) (int, error)
}

// ErasureCounts say what would be erased: how many of a panelist's diaries Erase
// would remove, and out of how many sets some erasings would take an account.
type ErasureCounts interface {
	CountErase(ctx context.Context, panel PanelID, panelist Visitor) (rows int, err error)
	CountSets(ctx context.Context, erasings ...Correction) (sets int, err error)
}

// Holdings say of a market which facts there are.
type Holdings interface {
	HasFacts(ctx context.Context, market MarketID) (bool, error)
	CensusMonths(ctx context.Context, market MarketID) ([]Month, error) // that have cells, in order
	// Revision costs next to nothing: it is asked for at every census. It fails
	// where the engine can't tell.
	Revision(ctx context.Context) (Revision, error)
}

// Revision tells what a census is made of apart from what it was: where two are
// alike, nothing of it was changed between them, by this process or another. One
// that is not like another may be of the same facts.
type Revision struct {
	Rest  string           // of all but cells; of the cells too where Cells is nil
	Cells map[Month]string // of the cells of each month that has some
}

// Of gives the revision of one month's census.
func (r Revision) Of(m Month) string { return r.Rest + " " + r.Cells[m] }

// SegmentCatalogue is what the store knows of segments.
type SegmentCatalogue interface {
	// Segments gives the catalogue by id, and of a market that is named also those
	// that its facts have, without a name.
	Segments(ctx context.Context, market MarketID) ([]Segment, error)
	// PutSegment writes a line over the one of its id.
	PutSegment(ctx context.Context, s Segment) error
}

// Damage is a fact that can't be read.
type Damage struct {
	Time   time.Time `json:"time,omitzero"` // when it was set aside
	Table  string    `json:"table"`
	Row    string    `json:"row"` // its key
	Market MarketID  `json:"market"`
	Month  string    `json:"month"` // YYYY-MM, as far as it can be told
	Reason string    `json:"reason"`
}

// DamagedIn counts the rows of a table that are set aside in a market's months
// from first to last. A row whose month can't be told is of any.
func DamagedIn(all []Damage, table string, market MarketID, first, last Month) (rows int) {
	for _, d := range all {
		month, err := ParseMonth(d.Month)
		if d.Table == table && d.Market == market && (err != nil || first <= month && month <= last) {
			rows++
		}
	}
	return rows
}

// StoreCheck is what a check of the whole store found.
type StoreCheck struct {
	Cells   int      `json:"cells"` // looked at
	Diaries int      `json:"diaries"`
	Objects int      `json:"objects"`
	Damaged []Damage `json:"damaged"`
	Faults  []string `json:"faults"` // that the engine finds in its own files
}

// Deltas is what one flush brings to the store. Each value is united with what
// the store has, so the same deltas twice change nothing. Values are valid
// until the next step of their sequence.
type Deltas struct {
	Cells   iter.Seq2[Cell, CellState]
	Diaries iter.Seq2[Diary, *Minutes]
	Known   Corrections // the removals that the cells were folded without
}

// From gives the deltas of the days from first on, and counts the others in
// late as they are passed over.
func (d Deltas) From(first Day, late *int) Deltas {
	cells, diaries := d.Cells, d.Diaries
	if cells != nil {
		d.Cells = func(yield func(Cell, CellState) bool) {
			for c, state := range cells {
				if c.Day < first {
					*late++
				} else if !yield(c, state) {
					return
				}
			}
		}
	}
	if diaries != nil {
		d.Diaries = func(yield func(Diary, *Minutes) bool) {
			for key, minutes := range diaries {
				if key.Day < first {
					*late++
				} else if !yield(key, minutes) {
					return
				}
			}
		}
	}
	return d
}

// CellQuery asks for a market's cells of the days From to To, both included.
type CellQuery struct {
	Market    MarketID
	Services  []ServiceID // empty: all
	From, To  Day
	Locations Location    // 0: all
	Platforms []Platform  // empty: all
	Segments  []SegmentID // empty: all; "" is none
}

// CellRow is one stored cell.
type CellRow struct {
	Cell
	CellState
}

// DiaryQuery asks for a panel's diaries of the days From to To, both included.
type DiaryQuery struct {
	Market   MarketID
	Panel    PanelID
	From, To Day
}

// DiaryRow is one stored diary.
type DiaryRow struct {
	Diary
	Minutes Minutes
}

// Hash is the SHA-256 of a stored object: its name and its proof.
type Hash [sha256.Size]byte

// HashOf hashes an object's bytes.
func HashOf(body []byte) Hash { return sha256.Sum256(body) }

// String gives 64 hexadecimal digits, or "" for no object.
func (h Hash) String() string {
	if h == (Hash{}) {
		return ""
	}
	return hex.EncodeToString(h[:])
}

// ParseHash reads what String writes.
func ParseHash(s string) (h Hash, err error) {
	if s == "" {
		return h, nil
	}
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, &Invalid{Field: "hash", Value: s, Reason: "is not 64 hexadecimal digits", Code: "hash"}
	}
	return Hash(b), nil
}

// MarshalText writes String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads String.
func (h *Hash) UnmarshalText(b []byte) (err error) {
	*h, err = ParseHash(string(b))
	return err
}

// PanelMonth is what a report is about: one panel's month in one market.
type PanelMonth struct {
	Market MarketID `json:"market"`
	Panel  PanelID  `json:"panel"`
	Month  Month    `json:"month"`
}

// PanelObjects are the stored objects that a panel's month is weighted with.
type PanelObjects struct {
	PanelMonth
	Roster   Hash `json:"roster"`
	Universe Hash `json:"universe"`
}

// PanelLimits are the raw persons under which a panel's figures are withheld, or
// flagged.
type PanelLimits struct {
	Market  MarketID `json:"market"`
	Panel   PanelID  `json:"panel"`
	Low     int      `json:"low"`
	Caution int      `json:"caution"`
}

// PublicationStatus says what a version is for.
type PublicationStatus string

// The statuses. An internal version was closed with limits under the panel's
// own and is never served to readers.
const (
	Preliminary PublicationStatus = "preliminary"
	Final       PublicationStatus = "final"
	Restated    PublicationStatus = "restated"
)

// Publication is one immutable version of a panel's month.
type Publication struct {
	PanelMonth
	Version  int               `json:"version"` // 1, 2, ...
	Status   PublicationStatus `json:"status"`
	Internal bool              `json:"internal"`
	Reason   string            `json:"reason,omitempty"`
	Time     time.Time         `json:"time"`
	Document Hash              `json:"document"` // the object that every figure of the version is computed from

	Withdrawn        time.Time `json:"withdrawn,omitzero"` // zero: it is not. This and its reason are a Withdrawal's
	WithdrawalReason string    `json:"withdrawal_reason,omitempty"`

	Calibration *Calibration `json:"calibration,omitempty"` // nil: none, or not looked for. Not kept: the document has it

	Late *int `json:"late,omitempty"` // diary days that came since and are in none of its figures; nil: not looked for. Not kept

	Unchanged bool `json:"unchanged,omitempty"` // of a close's answer: nothing had changed since this version, and none was made. Not kept

	AgedOut time.Time `json:"aged_out,omitzero"` // when its facts were removed; zero: they are there. Not kept: an Ageing says it
}

// Words says which version it is, in its market.
func (p Publication) Words() string {
	words := fmt.Sprintf("panel %s, %s, version %d, %s", p.Panel, p.Month, p.Version, p.Status)
	if p.Internal {
		words += ", internal"
	}
	return words
}

// NoVersion is the ErrNotFound of a version that a month doesn't have, or not for
// readers. It says which of the publications readers may have of that month, and of no
// other.
func NoVersion(of PanelMonth, version int, all []Publication) error {
	var has []int
	for _, p := range all {
		if p.PanelMonth == of && !p.Internal {
			has = append(has, p.Version)
		}
	}
	slices.Sort(has)
	return fmt.Errorf("version %d of %s of panel %s in %s: %w; %s", version, of.Month, of.Panel, of.Market, ErrNotFound, versionWords(has))
}

// versionWords says which versions there are, ascending.
func versionWords(has []int) string {
	switch n := len(has); {
	case n == 0:
		return "there is none for readers; `rollcall publication list` has internal ones too"
	case n == 1:
		return fmt.Sprintf("there is version %d", has[0])
	case n == 2:
		return fmt.Sprintf("there are versions %d and %d", has[0], has[1])
	case has[n-1]-has[0] == n-1:
		return fmt.Sprintf("there are versions %d to %d", has[0], has[n-1])
	default:
		words := make([]string, n)
		for i, v := range has {
			words[i] = strconv.Itoa(v)
		}
		return "there are versions " + strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// Calibration says to which services' own census a version is calibrated.
type Calibration struct {
	Services []ServiceID `json:"services"`
	Accounts []PerPerson `json:"accounts_per_person" nullable:"false" doc:"by which the services' accounts are users, in their order"`
	Notes    []string    `json:"notes,omitempty" doc:"of a close's answer: the accounts, the users that they make, what the panel alone has, and what there is to doubt"`
	Since    []string    `json:"since,omitempty" doc:"where late days were asked for: in what the census is another now than when the version was closed, which keeps its figures"`
}

// PerPerson is how many accounts of a service's own census a user of it has.
type PerPerson struct {
	Service    ServiceID `json:"service"`
	PerPerson  float64   `json:"accounts_per_person"`
	SE         float64   `json:"se"`
	Source     string    `json:"source"`
	SourceDate string    `json:"source_date"`
}

// To gives the services; of none, nil.
func (c *Calibration) To() []ServiceID {
	if c == nil {
		return nil
	}
	return c.Services
}

// Withdrawal records that a version must not be used: it was published wrong.
type Withdrawal struct {
	PanelMonth
	Version int
	Reason  string
	Time    time.Time
}

// Master is a master key of the pseudonyms, as the store knows it: by its hash.
type Master struct {
	ID   KeyID     `json:"id"`
	From Day       `json:"from,omitzero"`  // the first day whose accounts it hides; 0: of every day
	Lost bool      `json:"lost,omitempty"` // those before it are lost
	Time time.Time `json:"time"`
}

// InForce gives the masters by their first days. Of several from one day the
// one that was recorded first counts, and the others never do.
func InForce(all []Master) []Master {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Master) int {
		return cmp.Or(cmp.Compare(a.From, b.From), a.Time.Compare(b.Time), cmp.Compare(a.ID, b.ID))
	})
	return slices.CompactFunc(all, func(a, b Master) bool { return a.From == b.From })
}

// Needed gives the masters in force that are not lost: the last one that was
// made for a loss, and those after it.
func Needed(all []Master) []Master {
	all = InForce(all)
	for i := len(all) - 1; i > 0; i-- {
		if all[i].Lost {
			return all[i:]
		}
	}
	return all
}

// KeyChange is a day from which on accounts, or panelists, have other
// pseudonyms than before: nobody can be matched over its midnight.
type KeyChange struct {
	Day Day
	Why string // a short clause, such as "a new year"
}

// KeyChanges gives the days after first, up to last, from which on accounts have
// other pseudonyms: every New Year, unless the service has no epoch, and every
// rotation of the master key.
func KeyChanges(all []Master, epoch Epoch, first, last Day) (changes []KeyChange) {
	for year, _, _ := first.Date(); epoch == Yearly; year++ {
		day := DayOf(year+1, time.January, 1)
		if day > last {
			break
		}
		changes = append(changes, KeyChange{day, "a new year"})
	}
	for _, m := range InForce(all) {
		if first < m.From && m.From <= last {
			changes = append(changes, KeyChange{m.From, "a new master key"})
		}
	}
	slices.SortStableFunc(changes, func(a, b KeyChange) int { return cmp.Compare(a.Day, b.Day) })
	return slices.CompactFunc(changes, func(a, b KeyChange) bool { return a.Day == b.Day })
}

// PanelKeyChange gives the day within the month, after its first, from which on
// panelists have other pseudonyms: a rotation leaves them as they are, unless
// the master key was lost.
func PanelKeyChange(all []Master, month Month) (change KeyChange, found bool) {
	for _, m := range InForce(all) {
		if m.Lost && month.First() < m.From && m.From <= month.Last() {
			return KeyChange{m.From, "the master key before was lost"}, true
		}
	}
	return change, false
}

// String gives "2003-01-01 (a new year)".
func (c KeyChange) String() string { return fmt.Sprintf("%s (%s)", c.Day, c.Why) }

// Pseudonym is what somebody is known by from a day on.
type Pseudonym struct {
	From    Day // 0: of every day
	Visitor Visitor
	Key     KeyID
	Lost    bool // the key is lost: what it would be is not known
}

// PseudonymOf gives the one that counts on a day; false where none does.
func PseudonymOf(all []Pseudonym, day Day) (p Pseudonym, ok bool) {
	for _, of := range all {
		if of.From <= day {
			p, ok = of, true
		}
	}
	return p, ok
}

// MasterState is a master key as a process finds it.
type MasterState struct {
	ID    string     `json:"id" doc:"a hash of the key, 16 hexadecimal digits"`
	From  string     `json:"from,omitempty" doc:"the first day whose accounts it hides; absent: of every day"`
	Until string     `json:"until,omitempty" doc:"the first day of the next one; absent: there is none"`
	Made  time.Time  `json:"made" doc:"when the store was told of it"`
	State MasterWord `json:"state" enum:"past,in force,to come,lost,missing" doc:"lost: nobody can be matched with those of its days any more; missing: it is not in this process's key file"`
}

// MasterWord says in a word what a master key is now.
type MasterWord string

// The states of a master key.
const (
	MasterPast    MasterWord = "past"
	MasterInForce MasterWord = "in force"
	MasterToCome  MasterWord = "to come"
	MasterLost    MasterWord = "lost"
	MasterMissing MasterWord = "missing"
)

// Rotation is what came of a rotation of the master key.
type Rotation struct {
	ID    string   `json:"id" doc:"of the new master key, 16 hexadecimal digits"`
	From  string   `json:"from" doc:"the first day that it is for"`
	File  string   `json:"file" doc:"where the new master key is"`
	Notes []string `json:"notes" doc:"what is to be done now, and what can no longer be joined"`
}

// Ageing records that the facts of every market's months before Before were
// removed, at Time, and never come back.
type Ageing struct {
	Before Month
	Time   time.Time
}

// Exclusion is a recorded rule: what must not count, and why. Empty fields
// match everything.
type Exclusion struct {
	PanelMonth
	Panelist Visitor   `json:"panelist,omitempty"`
	Service  ServiceID `json:"service,omitempty"`
	Day      Day       `json:"day,omitempty"`
	Reason   string    `json:"reason"`
	Time     time.Time `json:"time"`
}

// Inventory names what a store holds and its lists do not lead to.
type Inventory struct {
	Facts      []PanelMonth   // the months that have diaries, and without a panel those that have cells
	Objects    []Hash         // every stored object
	Rosters    []PanelObjects // every roster that a month ever had, without its universe
	Limits     []PanelLimits
	Exclusions []PanelMonth // the months that have some
	Deliveries []Delivery   // the last step of every errand, also of one that is at its end
	Audit      []AuditEntry
}

// DamagedRow is a fact that was set aside, whole as it was found.
type DamagedRow struct {
	Damage
	Body   []byte `json:"body"`
	Second []byte `json:"second"` // of a cell: its minutes
}

// AuditEntry is a line of the audit log: who did what, and when. No secret is in
// it, and nobody of a panel is named.
type AuditEntry struct {
	Time   time.Time `json:"time"`
	Key    string    `json:"key" doc:"the id of the API key; oidc: and the subject of who signed in without one; empty: none was asked for"`
	Name   string    `json:"name" doc:"the key's; operator where none was asked for"`
	Action string    `json:"action" doc:"what was done, such as publish"`
	Market MarketID  `json:"market,omitempty"`
	Object string    `json:"object,omitempty" doc:"what it was done to, in words"`
}

// AuditLog is what was done, by whom and when. Entries are added and read, and
// never changed; the same entry again changes nothing.
type AuditLog interface {
	AddAudit(ctx context.Context, entries ...AuditEntry) error
	// Audit gives the last entries before a time, the newest first; a time of zero
	// is after all.
	Audit(ctx context.Context, before time.Time, most int) ([]AuditEntry, error)
}

// MostAudit is how many entries a store that drops the oldest has at most.
const MostAudit = 100_000
