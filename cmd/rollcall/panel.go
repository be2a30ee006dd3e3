package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strings"

	"rollcall"
	"rollcall/internal/server"
)

type panelCmd struct {
	Load    panelLoadCmd    `cmd:"" help:"Load a month's roster and universe."`
	Set     panelSetCmd     `cmd:"" help:"Say under how many persons a panel's figures are withheld or flagged, from the next close on."`
	Exclude panelExcludeCmd `cmd:"" help:"Record what must not count in a month, and why."`
	Erase   panelEraseCmd   `cmd:"" help:"Erase a panelist from every month that is not final."`
}

// month names one panel's month, the same flags everywhere.
type month struct {
	Market string         `required:"" help:"Market id, such as FR."`
	Panel  string         `required:"" help:"Panel id."`
	Month  rollcall.Month `required:"" help:"The market's local month, YYYY-MM." placeholder:"YYYY-MM"`
}

func (m *month) query() url.Values {
	return url.Values{"market": {m.Market}, "panel": {m.Panel}, "month": {m.Month.String()}}
}

type panelLoadCmd struct {
	month
	Panelists string `required:"" help:"CSV of in-tab panelists: panelist,home,work,base_weight,<demographics>." type:"typed"`
	Universe  string `required:"" help:"CSV of margins: margin,category,population,source,source_date." type:"typed"`
	server.Engine
}

// Validate refuses files that are not there.
func (c *panelLoadCmd) Validate() error { return exist(c.Panelists, c.Universe) }

// Run sends both files; what is wrong with them names the file, line and column.
func (c *panelLoadCmd) Run(ctx context.Context, s *streams) error {
	return with(ctx, &c.Engine, s, func(api *client) error {
		path := fmt.Sprintf("/v1/panels/%s/months/%s?market=%s", url.PathEscape(c.Panel), c.month.Month, url.QueryEscape(c.Market))
		answer, err := c.put(ctx, api, path)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		var loaded struct {
			Panelists  int     `json:"panelists"`
			Home       int     `json:"home"`
			Work       int     `json:"work"`
			Efficiency float64 `json:"efficiency"`
			Margins    int     `json:"margins"`
			Population float64 `json:"population"`
		}
		if err := json.NewDecoder(answer.Body).Decode(&loaded); err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s %s: %d panelists (%d at home, %d at work), %d margin categories, universe %.0f, efficiency of the weights %.1f %%\n",
			c.Panel, c.month.Month, loaded.Panelists, loaded.Home, loaded.Work, loaded.Margins, loaded.Population, 100*loaded.Efficiency)
		return err
	})
}

func (c *panelLoadCmd) put(ctx context.Context, api *client, path string) (*http.Response, error) {
	r, w := io.Pipe()
	parts := multipart.NewWriter(w)
	go func() {
		err := errors.Join(attach(parts, "roster", c.Panelists), attach(parts, "universe", c.Universe), parts.Close())
		w.CloseWithError(err)
	}()
	return api.send(ctx, http.MethodPut, path, "multipart/mixed; boundary="+parts.Boundary(), r)
}

func attach(parts *multipart.Writer, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	part, err := parts.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {fmt.Sprintf("form-data; name=%q; filename=%q", name, path)},
		"Content-Type":        {"text/csv"},
	})
	if err != nil {
		return err
	}
	_, err = io.Copy(part, f)
	return err
}

type panelSetCmd struct {
	Market  string `required:"" help:"Market id."`
	Panel   string `required:"" help:"Panel id."`
	Low     *int   `help:"Persons under which a figure is withheld; as it is where absent." placeholder:"30"`
	Caution *int   `help:"Persons under which a figure is flagged; as it is where absent." placeholder:"60"`
	server.Engine
}

// Run sets the limits, and says what they are.
func (c *panelSetCmd) Run(ctx context.Context, s *streams) error {
	if c.Low == nil && c.Caution == nil {
		return server.UsageError{Err: errors.New("set what? give --low or --caution")}
	}
	in := map[string]any{"market": c.Market}
	if c.Low != nil {
		in["low"] = *c.Low
	}
	if c.Caution != nil {
		in["caution"] = *c.Caution
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		var l rollcall.PanelLimits
		if err := api.do(ctx, http.MethodPost, "/v1/panels/"+url.PathEscape(c.Panel)+"/limits", in, &l); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s %s: withheld under %d persons, flagged under %d, from the next close on\n", l.Market, l.Panel, l.Low, l.Caution)
		return err
	})
}

type panelExcludeCmd struct {
	month
	Panelist string `help:"Panelist id; all where absent."`
	Service  string `help:"Service id; all where absent."`
	Day      string `help:"Local day, YYYY-MM-DD; all where absent."`
	Reason   string `required:"" help:"Why it must not count; printed on the reports."`
	server.Engine
}

// Run records the rule, and says what it is of.
func (c *panelExcludeCmd) Run(ctx context.Context, s *streams) error {
	if c.Panelist == "" && c.Service == "" && c.Day == "" {
		return server.UsageError{Err: errors.New("exclude what? give --panelist, --service or --day")}
	}
	in := map[string]string{"market": c.Market, "panel": c.Panel, "month": c.month.Month.String(), "reason": c.Reason}
	for name, value := range map[string]string{"panelist": c.Panelist, "service": c.Service, "day": c.Day} {
		if value != "" {
			in[name] = value
		}
	}
	return within(ctx, &c.Engine, s, func(api *client) error {
		if err := api.do(ctx, http.MethodPost, "/v1/exclusions", in, nil); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "excluded, from the next close on: %s, of %s %s %s\n", c.words(), c.Market, c.Panel, c.month.Month)
		return err
	})
}

// words says what must not count. A panelist is not named.
func (c *panelExcludeCmd) words() string {
	var of []string
	if c.Panelist != "" {
		of = append(of, "one panelist")
	}
	if c.Service != "" {
		of = append(of, "service "+c.Service)
	}
	if c.Day != "" {
		of = append(of, c.Day)
	}
	return strings.Join(of, ", ")
}

type panelEraseCmd struct {
	Panel    string `required:"" help:"Panel id."`
	Panelist string `required:"" help:"Panelist id."`
	DryRun   bool   `help:"Say what would be erased; erase nothing."`
	server.Engine
}

// Run erases the panelist.
func (c *panelEraseCmd) Run(ctx context.Context, s *streams) error {
	return within(ctx, &c.Engine, s, func(api *client) error {
		var out rollcall.Erasure
		in := map[string]any{"panel": c.Panel, "panelist": c.Panelist}
		format := "erased: %s, roster lines of %s\n"
		if c.DryRun {
			in["dry_run"] = true
			format = "would be erased: %s, roster lines of %s; nothing was\n"
		}
		if err := api.do(ctx, http.MethodPost, "/v1/erasures", in, &out); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, format, count(out.Diaries, "diary day"), count(out.Rosters, "month"))
		for _, p := range out.Kept {
			fmt.Fprintf(s.out, "kept, as published: %s in %s, version %d (%s)\n", p.Month, p.Market, p.Version, p.Status)
		}
		if out.Lost != "" {
			fmt.Fprintf(s.out, "not looked for before %s: the master key of then is lost\n", out.Lost)
		}
		return err
	})
}
