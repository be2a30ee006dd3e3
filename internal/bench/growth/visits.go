package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"rollcall/internal/bench/product"
)

// visitsEach is about how many visits an account makes in a month.
const visitsEach = 8

// load is a run of the operator's program.
type load struct{ accounts, segments, months int }

// visits measures the parts that are loads of visits.
func (o *options) visits(ctx context.Context, stdout, stderr io.Writer) error {
	var loads [3][]load
	for _, n := range o.events {
		loads[0] = append(loads[0], load{n / visitsEach, 20, 1})
	}
	for _, n := range o.segments {
		loads[1] = append(loads[1], load{1_000_000 / visitsEach, n, 1})
	}
	for _, n := range o.months {
		loads[2] = append(loads[2], load{20_000, 20, n})
	}
	if len(loads[0])+len(loads[1])+len(loads[2]) == 0 {
		return nil
	}
	program, err := filepath.Abs(filepath.Join(o.data, "operator"))
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "rollcall/internal/bench/operator")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if printed, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the operator's program: %w\n%s", err, printed)
	}
	for i, name := range []string{"events", "segments", "months"} {
		if len(loads[i]) == 0 {
			continue
		}
		printHead(stdout, name, "visits", "loading, s", "of processors, s", "us a visit", "MB at the peak", "store, MB",
			"ms of a processor: a segment", "all in 31 days on phones", "all", "all by segment", "server, MB at the peak")
		for _, l := range loads[i] {
			m, err := o.run(ctx, program, l, stderr)
			if err != nil {
				return err
			}
			printLoad(stdout, []int{m.Visits, l.segments, l.months}[i], m)
		}
	}
	return nil
}

// run runs the program on a folder of its own, which it leaves empty.
func (o *options) run(ctx context.Context, program string, l load, stderr io.Writer) (*product.Measured, error) {
	data, file := filepath.Join(o.data, "visits"), filepath.Join(o.data, "measured.json")
	c := exec.CommandContext(ctx, program, "--accounts", strconv.Itoa(l.accounts), "--instances", strconv.Itoa(l.segments),
		"--days", strconv.Itoa(l.months*365/12), "--data", data, "--json", file)
	c.Stdout, c.Stderr = stderr, stderr
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%d accounts, %d segments, %d months: %w", l.accounts, l.segments, l.months, err)
	}
	m, err := product.ReadMeasured(file)
	if err != nil {
		return nil, err
	}
	return m, os.RemoveAll(data)
}

func printLoad(out io.Writer, size int, m *product.Measured) {
	ms := func(question string) float64 {
		return float64(m.Answer("SQLite", question).CPU) / float64(time.Millisecond)
	}
	printRow(out, size, m.Visits, m.Load.Wall.Seconds(), m.Load.CPU.Seconds(), m.Load.CPU.Seconds()*1e6/float64(m.Visits),
		m.Load.Memory>>20, m.Store>>20, ms("an instance's month"), ms("the last 31 days on phones"), ms("the month"), ms("the month by instance"), m.Servers[0].Memory>>20)
}
