package main

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"

	"rollcall"
)

type closeCmd struct {
	month
	Status  string `help:"preliminary, final or restated." enum:"preliminary,final,restated" default:"preliminary"`
	Reason  string `help:"Why; required where restated."`
	Low     *int   `help:"Persons under which a figure is withheld; under the market's own the version is internal."`
	Caution *int   `help:"Persons under which a figure is flagged."`

	Confidence *float64 `help:"Of the intervals, 0.5 to 1." placeholder:"0.95"`
	Trim       string   `help:"Clip weights while raking, to these multiples of their mean; CAP 0 for none." placeholder:"FLOOR,CAP"`
	engine
}

// Run closes the month and names the version.
func (c *closeCmd) Run(ctx context.Context, s *streams) error {
	in := map[string]any{"market": c.Market, "panel": c.Panel, "month": c.month.Month, "status": c.Status, "reason": c.Reason}
	if c.Low != nil {
		in["low"] = *c.Low
	}
	if c.Caution != nil {
		in["caution"] = *c.Caution
	}
	if c.Confidence != nil {
		if !(*c.Confidence >= 0.5 && *c.Confidence < 1) {
			return usageError{fmt.Errorf("--confidence %g: is not at least 0.5 and under 1", *c.Confidence)}
		}
		in["confidence"] = *c.Confidence
	}
	if c.Trim != "" {
		trim, err := parseTrim(c.Trim)
		if err != nil {
			return err
		}
		in["trim"] = trim
	}
	return c.with(ctx, s, func(server *client) error {
		var p rollcall.Publication
		if err := server.do(ctx, http.MethodPost, "/v1/publications", in, &p); err != nil {
			return err
		}
		_, err := fmt.Fprintf(s.out, "%s %s %s: version %d, %s%s\n", p.Market, p.Panel, p.Month, p.Version, p.Status, internalNote(p))
		return err
	})
}

// parseTrim reads FLOOR,CAP.
func parseTrim(s string) (rollcall.Trim, error) {
	floor, limit, _ := strings.Cut(s, ",")
	low, err := strconv.ParseFloat(floor, 64)
	high, err2 := strconv.ParseFloat(limit, 64)
	if err != nil || err2 != nil || math.IsNaN(low+high) || math.IsInf(low+high, 0) {
		return rollcall.Trim{}, usageError{fmt.Errorf("--trim %q: is not two numbers FLOOR,CAP, such as 0.3,3", s)}
	}
	return rollcall.Trim{Floor: low, Cap: high}, nil
}

func internalNote(p rollcall.Publication) string {
	if p.Internal {
		return ", internal (limits under the market's own)"
	}
	return ""
}
