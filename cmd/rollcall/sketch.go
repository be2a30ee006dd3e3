package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"rollcall/aggregate/hll"
)

// Raw states carry no key: merging those of different keys is the user's care.
type sketchCmd struct {
	Encode   sketchEncodeCmd   `cmd:"" help:"Ids on stdin (unsigned decimal, one a line) to one state in hex."`
	Merge    sketchMergeCmd    `cmd:"" help:"States on stdin (hex, one a line) to their union. Raw states carry no key: merge only states of one key."`
	Estimate sketchEstimateCmd `cmd:"" help:"States on stdin (hex, one a line): 'estimate low high exact|approximate' of each."`
}

type precision struct {
	K int `help:"The sketch's precision, 12 to 18: it has 2^K registers." default:"14"`
}

// Validate refuses a precision that no sketch has.
func (p precision) Validate() error {
	if hll.CheckK(p.K) != nil {
		return fmt.Errorf("--k %d: is not 12 to 18", p.K)
	}
	return nil
}

type sketchEncodeCmd struct{ precision }

// Run folds the ids into one state.
func (c *sketchEncodeCmd) Run(s *streams) error {
	sketch := hll.New(c.K)
	err := eachLine(s.in, func(text string) error {
		id, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("id %q is not an unsigned decimal of 64 bits", text)
		}
		sketch.Add(id)
		return nil
	})
	if err != nil {
		return err
	}
	return printState(s.out, sketch)
}

type sketchMergeCmd struct{ precision }

// Run unites the states.
func (c *sketchMergeCmd) Run(s *streams) error {
	sketch := hll.New(c.K)
	err := eachState(s.in, func(state []byte) error { return sketch.MergeState(state) })
	if err != nil {
		return err
	}
	return printState(s.out, sketch)
}

type sketchEstimateCmd struct{ precision }

// Run prints the estimate of each state, with its 95 % interval.
func (c *sketchEstimateCmd) Run(s *streams) error {
	return eachState(s.in, func(state []byte) error {
		sketch, err := hll.Decode(c.K, state)
		if err != nil {
			return err
		}
		e := sketch.Estimate()
		how := "approximate"
		if e.Exact {
			how = "exact"
		}
		low, high := e.Interval()
		_, err = fmt.Fprintf(s.out, "%s %s %s %s\n", decimal(e.Count), decimal(low), decimal(high), how)
		return err
	})
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func printState(w io.Writer, sketch *hll.Sketch) error {
	_, err := fmt.Fprintln(w, hex.EncodeToString(sketch.Append(nil)))
	return err
}

func eachState(r io.Reader, take func(state []byte) error) error {
	return eachLine(r, func(text string) error {
		state, err := hex.DecodeString(text)
		if err != nil {
			return errors.New("state is not hexadecimal, two digits a byte")
		}
		return take(state)
	})
}

// longestLine holds the hex of the largest state, K = 18, and more.
const longestLine = 1 << 20

// eachLine gives every line that is not blank; an error names the line.
func eachLine(r io.Reader, take func(text string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, longestLine)
	n := 1
	for ; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		if err := take(text); err != nil {
			return fmt.Errorf("stdin: line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("stdin: line %d: %w", n, err)
	}
	return nil
}
