package main

import (
	"fmt"
	"os"

	"rollcall/aggregate/tablecheck"
)

type checkCmd struct {
	Table string `arg:"" type:"typed" help:"CSV of a published table: rank,service,audience,reach."`
}

// Validate refuses a table that is not there.
func (c *checkCmd) Validate() error { return exist(c.Table) }

// Run names every row that can't belong to one universe with the others; any
// is a failure.
func (c *checkCmd) Run(s *streams) error {
	f, err := os.Open(c.Table)
	if err != nil {
		return err
	}
	defer f.Close()
	findings, err := tablecheck.Check(f, c.Table)
	if err != nil {
		return err
	}
	for _, finding := range findings {
		if _, err := fmt.Fprintln(s.out, finding); err != nil {
			return err
		}
	}
	if len(findings) > 0 {
		return fmt.Errorf("%s: %s: the table is not of one universe", c.Table, count(len(findings), "finding"))
	}
	_, err = fmt.Fprintf(s.out, "%s: every row can belong to one universe\n", c.Table)
	return err
}
