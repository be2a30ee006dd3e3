package rollcall

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
