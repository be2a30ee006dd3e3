package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"rollcall/internal/bench/product"
)

// panels loads, closes and reports a month of panels of several sizes.
func panels(ctx context.Context, p *product.Program, data string, sizes []int, stdout io.Writer) error {
	printHead(stdout, "panelists", "events", "loading, s", "of processors, s", "us an event", "MB at the peak", "store, MB",
		"close, s of processors", "MB at the peak", "ranking, s of processors", "MB at the peak")
	for _, n := range sizes {
		if err := panel(ctx, p, filepath.Join(data, "panel"), n, stdout); err != nil {
			return fmt.Errorf("%d panelists: %w", n, err)
		}
	}
	return nil
}

// panel measures one; its folder is empty before and after.
func panel(ctx context.Context, p *product.Program, data string, size int, stdout io.Writer) error {
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	events, err := writePanel(data, size)
	if err != nil {
		return err
	}
	store := filepath.Join(data, "store")
	month := []string{"--market", "FR", "--panel", "nn", "--month", "2002-10", "--data", store}
	var used [5]product.Usage
	for i, args := range [][]string{
		{"market", "add", "FR", "--zone", "Europe/Paris", "--data", store},
		append([]string{"panel", "load", "--panelists", filepath.Join(data, "panelists.csv"), "--universe", filepath.Join(data, "universe.csv")}, month...),
		{"events", "load", "--backfill", "--data", store, filepath.Join(data, "events.ndjson")},
		append([]string{"close"}, month...),
		append([]string{"report", "ranking"}, month...),
	} {
		if used[i], err = p.Command(ctx, args...); err != nil {
			return err
		}
	}
	bytes, err := product.StoreSize(store)
	if err != nil {
		return err
	}
	loaded, closed, ranked := used[2], used[3], used[4]
	printRow(stdout, size, events, loaded.Wall.Seconds(), loaded.CPU.Seconds(), loaded.CPU.Seconds()*1e6/float64(events), loaded.Memory>>20, bytes>>20,
		closed.CPU.Seconds(), closed.Memory>>20, ranked.CPU.Seconds(), ranked.Memory>>20)
	return os.RemoveAll(data)
}

// writePanel writes a month's roster, universe and events, the same at each run:
// each panelist is there on ten days, with two stays at services in each. It gives
// the number of events.
func writePanel(data string, size int) (events int, err error) {
	random := rand.New(rand.NewPCG(2002, 10))
	write := func(name string, lines func(out *bufio.Writer)) {
		f, failed := os.Create(filepath.Join(data, name))
		if failed != nil {
			err = errors.Join(err, failed)
			return
		}
		out := bufio.NewWriterSize(f, 1<<20)
		lines(out)
		err = errors.Join(err, out.Flush(), f.Close())
	}
	write("panelists.csv", func(out *bufio.Writer) {
		fmt.Fprintln(out, "panelist,home,work,base_weight,sex,region")
		for i := range size {
			fmt.Fprintf(out, "P%d,1,%d,%d,%c,r%d\n", i, i%4/3, 1+i%3, "MF"[i%2], i/2%8)
		}
	})
	write("universe.csv", func(out *bufio.Writer) {
		fmt.Fprint(out, "margin,category,population,source,source_date\nsex,M,8400000,simulated,2002-06-30\nsex,F,8400000,simulated,2002-06-30\n")
		for r := range 8 {
			fmt.Fprintf(out, "region,r%d,2100000,simulated,2002-06-30\n", r)
		}
	})
	write("events.ndjson", func(out *bufio.Writer) {
		for day := 1; day <= 31; day++ {
			for i := range size {
				if (i+day)%3 != 0 {
					continue
				}
				for range 2 {
					service := [...]string{"msn", "msn", "aim", "icq"}[random.IntN(4)]
					hour, minute, long := random.IntN(20), random.IntN(60), 1+random.IntN(59)
					fmt.Fprintf(out, `{"time":"2002-10-%02dT%02d:%02d:00Z","until":"2002-10-%02dT%02d:%02d:00Z","market":"FR","service":%q,"location":"home","kind":"use","panel":"nn","panelist":"P%d"}`+"\n",
						day, hour, minute, day, hour+(minute+long)/60, (minute+long)%60, service, i)
					events++
				}
			}
		}
	})
	return events, err
}
