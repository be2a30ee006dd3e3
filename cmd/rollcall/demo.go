package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"rollcall"
	"rollcall/api/export"
	"rollcall/api/terminal"
	"rollcall/ingest/collect/simulate"
	"rollcall/internal/server"
)

type demoCmd struct {
	Listen string `help:"Address of the API; loopback only." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Data   string `help:"Folder of the demonstration: a new or empty one, or one that it has made." default:"rollcall-demo" type:"path" placeholder:"DIR"`
	Seed   uint64 `help:"Seed of the simulated panel." default:"2002"`
	Debug  bool   `help:"Log at debug level."`
}

// Run loads the demonstration's markets, unless the folder has them already,
// prints a month of the panel and serves all.
func (c *demoCmd) Run(ctx context.Context, s *streams) error {
	if err := server.CheckLocal(c.Listen); err != nil {
		return err
	}
	if err := server.MakeDemonstration(c.Data, seedKey(c.Seed)); err != nil {
		return err
	}
	p, err := server.Start(ctx, &server.Engine{Data: c.Data}, s.options(c.Debug))
	if err != nil {
		return err
	}
	address, err := p.Open(c.Listen)
	if err != nil {
		return errors.Join(err, p.Close())
	}
	api := &client{http: server.SocketClient(c.Data)}
	err = p.During(ctx, func(ctx context.Context) error { return c.show(ctx, s, api, address) })
	switch {
	case ctx.Err() != nil:
		return p.Close() // told to stop while loading: the next start goes on
	case err != nil:
		return errors.Join(err, p.Close())
	}
	return p.Wait(ctx)
}

// seedKey makes a pseudonym key from the seed, so that one seed makes the same
// hashes and sketches everywhere. It is no secret, and hides nobody: the
// demonstration's people do not exist.
func seedKey(seed uint64) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "rollcall demonstration, seed %d", seed))
	return sum[:]
}

// demoMonth is the month that the demonstration prints.
const demoMonth = rollcall.Month(2002*12 + int(time.October) - 1)

func (c *demoCmd) show(ctx context.Context, s *streams, api *client, address net.Addr) error {
	if err := c.load(ctx, s, api); err != nil {
		return err
	}
	table, err := readRanking(ctx, api, demoMonth)
	if err != nil {
		return err
	}
	names, err := rows[rollcall.Service](ctx, api, "/v1/services")
	if err != nil {
		return err
	}
	if err := printDemo(s.out, table, names); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "\nThe same as a page: http://%s/?market=%s&month=%s\nAccounts that servers saw: http://%s/accounts?market=%s&month=%s\n\nTo try, in another terminal:\n  %s\n\nRollcall listens on http://%s; Ctrl-C stops it.\n",
		address, simulate.Place().ID, demoMonth, address, simulate.World().ID, demoMonth, strings.Join(demoCommands(os.Args[0], c.Data), "\n  "), address)
	return err
}

// demoCommands are three to try on the folder, as a shell takes them: who else
// MSN's users use, how a month was at work, and the census of another market.
func demoCommands(program, data string) (lines []string) {
	month := fmt.Sprintf("--market %s --panel %s --month %s", simulate.Place().ID, simulate.PanelID, demoMonth)
	for _, command := range []string{
		"report duplication --service msn " + month,
		"report ranking --location work " + month,
		fmt.Sprintf("census --by platform --market %s --from %s --to %s", simulate.World().ID, demoMonth.First(), demoMonth.Last()),
	} {
		lines = append(lines, fmt.Sprintf("%s %s --data %s", quoted(program), command, quoted(data)))
	}
	return lines
}

// quoted writes a word as a shell reads it, as it is where that is safe.
func quoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// load makes and loads the markets where a month of the panel is missing.
func (c *demoCmd) load(ctx context.Context, s *streams, api *client) error {
	l, err := newSimulation(api, s.err, c.Seed, simulate.Months())
	if err != nil {
		return err
	}
	missing, err := l.missing(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	fmt.Fprintf(s.err, "Loading the demonstration into %s: %d months of a simulated panel, three of simulated censuses.\n"+
		"The folder's pseudonym key is made from the seed and is no secret: load no real events into it.\n", c.Data, len(missing))
	return l.load(ctx)
}

func readRanking(ctx context.Context, api *client, m rollcall.Month) (*rollcall.Table, error) {
	answer, err := api.get(ctx, "/v1/reports/ranking", url.Values{
		"market": {string(simulate.Place().ID)}, "panel": {string(simulate.PanelID)}, "month": {m.String()},
	})
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	t := new(rollcall.Table)
	if err := json.NewDecoder(answer.Body).Decode(t); err != nil {
		return nil, fmt.Errorf("read the ranking: %w", err)
	}
	return t, nil
}

// printDemo shows the services of a ranking in whole persons, then what the
// figures are.
func printDemo(w io.Writer, t *rollcall.Table, names []rollcall.Service) error {
	fmt.Fprintf(w, "%s, %s: unique visitors at home or at work (simulated)\n\n", simulate.Place().Name, t.Meta.Month)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "RANK\tSERVICE\tUNIQUE VISITORS\t95 % INTERVAL\tREACH\t")
	for i := range t.Rows {
		if level, _ := t.Cell(i, "level").(string); level == "service" {
			printDemoRow(out, t, i, names)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if t.Meta.Universe != nil {
		fmt.Fprintf(w, "\n%s\n", terminal.Wrap("This panel is "+t.Meta.Universe.Source+".", terminal.Widest))
	}
	return nil
}

func printDemoRow(w io.Writer, t *rollcall.Table, row int, names []rollcall.Service) {
	id, _ := t.Cell(row, "service").(string)
	name := id
	for _, s := range names {
		if string(s.ID) == id {
			name = s.Name
		}
	}
	audience, _ := t.Cell(row, "unique_audience").(rollcall.Measure)
	if audience.Status.Withheld() {
		fmt.Fprintf(w, "\t%s\ttoo few panelists\t\t\t\n", name)
		return
	}
	reach, _ := t.Cell(row, "reach").(rollcall.Measure)
	fmt.Fprintf(w, "%v\t%s\t%s\t%s to %s\t%.1f %%\t%s\n", terminal.Ranks(t.Cell(row, "rank"), t.Cell(row, "rank_low"), t.Cell(row, "rank_high")), name,
		wholeThousands(audience.Value), wholeThousands(audience.Low), wholeThousands(audience.High), reach.Value, tied(t, row))
}

func tied(t *rollcall.Table, row int) string {
	if others, _ := t.Cell(row, "tied_with").([]string); len(others) > 0 {
		return " tied with " + strings.Join(others, ", ")
	}
	return ""
}

// wholeThousands writes persons to the thousand: 1,585,000.
func wholeThousands(persons float64) string {
	return export.English.Number(math.Round(persons/1000)*1000, 0)
}
