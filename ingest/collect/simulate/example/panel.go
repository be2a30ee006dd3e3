package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"

	"rollcall"
	"rollcall/ingest/collect/simulate"
)

// panelID is the panel's name in the documents' commands.
const panelID rollcall.PanelID = "nn"

// source stands on every report; it says that the market is simulated.
const source = "simulated for Rollcall's example; nobody in it exists"

// Of three households the second is in the example: enough persons for figures of
// four services, few enough for a small file.
const (
	households = 3
	taken      = 1
)

// recruited is the example's panel: who of the demonstration is in it, by which
// name, and its roster.
type recruited struct {
	names  map[string]string
	roster []byte
}

// recruit takes its households, and gives them and their persons plain numbers.
func recruit(m *simulate.Month) (*recruited, error) {
	rows, err := records(m.WriteRoster)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	kept := [][]string{rows[0]}
	p := &recruited{names: make(map[string]string)}
	met := make(map[string]int)
	for _, row := range rows[1:] {
		panelist, household := &row[0], &row[4]
		number, ok := met[*household]
		if !ok {
			number = len(met)
			met[*household] = number
		}
		if number%households != taken {
			continue
		}
		p.names[*panelist] = fmt.Sprintf("P%04d", len(p.names)+1)
		*panelist, *household = p.names[*panelist], fmt.Sprintf("H%04d", number/households+1)
		kept = append(kept, row)
	}
	err = w.WriteAll(kept)
	p.roster = out.Bytes()
	return p, err
}

// universe gives the demonstration's margins under the example's source.
func universe(m *simulate.Month) ([]byte, error) {
	rows, err := records(m.WriteUniverse)
	if err != nil {
		return nil, err
	}
	for _, row := range rows[1:] {
		row[3] = source
	}
	var out bytes.Buffer
	err = csv.NewWriter(&out).WriteAll(rows)
	return out.Bytes(), err
}

// records reads what a writer of the demonstration's files writes.
func records(write func(w io.Writer) error) ([][]string, error) {
	var text bytes.Buffer
	if err := write(&text); err != nil {
		return nil, err
	}
	return csv.NewReader(&text).ReadAll()
}
