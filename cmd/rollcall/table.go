package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"golang.org/x/term"

	"rollcall"
	"rollcall/api/export"
	"rollcall/api/terminal"
)

// tableWriter reads what a table needs beside its own JSON, the services' names and
// where it has a column of them the segments', and gives what writes it as text.
func (o *output) tableWriter(ctx context.Context, s *streams, api *client) (func(io.Writer, io.Reader) error, error) {
	services, err := rows[rollcall.Service](ctx, api, "/v1/services")
	if err != nil {
		return nil, err
	}
	options := terminal.Options{Locale: export.Locale(o.Locale), Services: services, Width: columnsOf(s.out)}
	return func(w io.Writer, body io.Reader) error {
		var t rollcall.Table
		if err := json.NewDecoder(body).Decode(&t); err != nil {
			return fmt.Errorf("read the report: %w", err)
		}
		if slices.ContainsFunc(t.Columns, func(c rollcall.Column) bool { return c.Name == string(rollcall.BySegment) }) {
			if options.Segments, err = segmentsNamed(ctx, api); err != nil {
				return err
			}
		}
		return terminal.Write(w, &t, options)
	}, nil
}

// segmentsNamed gives the segments that have a name.
func segmentsNamed(ctx context.Context, api *client) ([]rollcall.Segment, error) {
	all, err := rows[rollcall.Segment](ctx, api, "/v1/segments")
	return slices.DeleteFunc(all, func(s rollcall.Segment) bool { return s.Name == "" }), err
}

// columnsOf is how wide a terminal is; 0: it is none.
func columnsOf(w io.Writer) int {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok || !isTerminal(w) {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}
