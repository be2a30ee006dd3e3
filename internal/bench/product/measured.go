package product

import (
	"encoding/json"
	"os"
	"time"
)

// Measured is what the operator's program measures of a load and of the answers
// after it, as it writes it to a file for others.
type Measured struct {
	Accounts  int `json:"accounts"`
	Instances int `json:"instances"`
	Days      int `json:"days"`
	Visits    int `json:"visits"`

	Load    Usage    `json:"load"`
	Store   int64    `json:"store"` // bytes
	Servers []Served `json:"servers"`
	Answers []Answer `json:"answers"`
}

// Served is what the server over a store used in all.
type Served struct {
	Store string `json:"store"` // SQLite or ClickHouse
	Usage
}

// Answer is what answers to a question took.
type Answer struct {
	Store    string        `json:"store"`
	Question string        `json:"question"`
	Rows     int           `json:"rows"`
	Half     time.Duration `json:"half"` // within which half of them came
	All      time.Duration `json:"all"`
	CPU      time.Duration `json:"cpu"` // of Rollcall's processor for each
}

// Write writes it to a file.
func (m *Measured) Write(path string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// ReadMeasured reads what Write wrote.
func ReadMeasured(path string) (*Measured, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &Measured{}
	return m, json.Unmarshal(text, m)
}

// Answer gives what a question took on a store; nothing where it was not asked.
func (m *Measured) Answer(store, question string) (a Answer) {
	for _, a := range m.Answers {
		if a.Store == store && a.Question == question {
			return a
		}
	}
	return a
}
