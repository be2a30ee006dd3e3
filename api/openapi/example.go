package openapi

import (
	"maps"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// hash is one of an object in the examples: of nothing.
const hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const eventExample = `{"id":"E01","time":"2002-10-03T18:22:05Z","market":"FR","service":"msn","location":"home","kind":"use","panel":"nn","panelist":"P0001"}` + "\n"

// parameterExamples are values of what a route requires.
func parameterExamples() map[string]any {
	return map[string]any{
		"market": "FR", "panel": "nn", "month": "2002-10", "version": 1, "other": 2,
		"from": "2002-10-01", "to": "2002-10-31", "service": "msn", "segment": "lyon", "target": "young", "backfill": "1", "reason": "it was not",
	}
}

// bodies are what an operation is sent, and answers, in its example.
type bodies struct{ in, out any }

func examples() map[string]bodies {
	market := map[string]any{"market": "BE", "name": "Belgium", "zone": "Europe/Brussels"}
	service := map[string]any{"service": "msn", "name": "MSN Messenger", "brand": "msn", "owner": "microsoft"}
	segment := map[string]any{"segment": "grenoble", "name": "Grenoble", "into": "lyon"}
	target := map[string]any{"target": "young", "expression": "age=15-24"}
	version := map[string]any{
		"market": "FR", "panel": "nn", "month": "2002-10", "version": 1, "status": "final", "internal": false, "time": "2002-11-10T06:00:00Z", "document": hash,
	}
	withdrawn := maps.Clone(version)
	withdrawn["withdrawn"], withdrawn["withdrawal_reason"] = "2002-11-12T09:00:00Z", "a meter was broken"
	rule := map[string]any{"market": "FR", "panel": "nn", "month": "2002-10", "panelist": false, "service": "icq", "reason": "a faulty meter"}
	removal := map[string]any{"action": "removal", "market": "FR", "service": "mychat", "from": "2002-10-03", "to": "2002-10-04", "reason": "loaded twice", "time": "2002-11-05T09:00:00Z", "cells": 4}
	outage := map[string]any{"action": "outage", "market": "FR", "from": "2002-10-03", "to": "2002-10-03", "reason": "a collector was down", "time": "2002-11-05T09:00:00Z"}
	cleared := map[string]any{"action": "cleared", "market": "FR", "from": "2002-10-03", "to": "2002-10-03", "reason": "it was not", "time": "2002-11-06T09:00:00Z"}
	return map[string]bodies{
		"get-v1-markets-market":                          {nil, market},
		"get-v1-services-service":                        {nil, service},
		"get-v1-targets-target":                          {nil, target},
		"get-v1-census-nodeinfo":                         {nil, map[string]any{"users": map[string]any{"total": 400000, "activeHalfyear": 331200, "activeMonth": 289140}}},
		"get-v1-exclusions":                              {nil, rows(rule)},
		"get-v1-census-corrections":                      {nil, rows(removal)},
		"post-v1-census-removals":                        {map[string]any{"market": "FR", "service": "mychat", "from": "2002-10-03", "to": "2002-10-04", "reason": "loaded twice"}, removal},
		"post-v1-census-erasures":                        {map[string]any{"service": "mychat", "account": "ann@example.org"}, map[string]any{"service": "mychat", "last_day": "2002-11-05", "keys": 13, "sets": 2, "notes": []any{"A sketch can't forget."}}},
		"post-v1-census-marks":                           {map[string]any{"market": "FR", "from": "2002-10-03", "to": "2002-10-03", "reason": "a collector was down"}, outage},
		"delete-v1-census-marks":                         {nil, cleared},
		"get-v1-panels-panel-months-month":               {nil, map[string]any{"market": "FR", "panel": "nn", "month": "2002-10", "roster": hash, "universe": hash}},
		"get-v1-markets":                                 {nil, rows(market)},
		"post-v1-markets":                                {market, market},
		"get-v1-services":                                {nil, rows(service)},
		"post-v1-services":                               {service, service},
		"get-v1-publications":                            {nil, rows(version)},
		"get-v1-publications-market-panel-month-version": {nil, version},
		"get-v1-segments":                                {nil, rows(segment)},
		"get-v1-segments-segment":                        {nil, segment},
		"post-v1-segments":                               {segment, segment},
		"post-v1-publications":                           {map[string]any{"market": "FR", "panel": "nn", "month": "2002-10", "status": "final"}, version},
		"post-v1-panels-panel-limits":                    {map[string]any{"market": "FR", "low": 30, "caution": 60}, map[string]any{"market": "FR", "panel": "nn", "low": 30, "caution": 60}},
		"post-v1-publications-market-panel-month-version-withdraw": {map[string]any{"reason": "a meter was broken"}, withdrawn},
		"post-v1-exclusions":         {map[string]any{"market": "FR", "panel": "nn", "month": "2002-10", "service": "icq", "reason": "a faulty meter"}, rule},
		"post-v1-erasures":           {map[string]any{"panel": "nn", "panelist": "P0005"}, map[string]any{"diaries": 31, "rosters": 1, "kept": []any{}}},
		"get-v1-targets":             {nil, rows(target)},
		"post-v1-targets":            {target, target},
		"post-v1-backup":             {map[string]any{"file": "rollcall.backup"}, nil},
		"post-v1-store-check":        {map[string]any{"repair": false}, map[string]any{"cells": 1, "diaries": 1, "objects": 1, "damaged": []any{}, "faults": []any{}, "set_aside": []any{}}},
		"post-v1-rejected-replay":    {nil, map[string]any{"inputs": 1, "valid": 1, "refused": map[string]any{}}},
		"post-v1-log-replay":         {map[string]any{"time": "2002-10-01T00:00:00Z"}, map[string]any{"events": 1200}},
		"post-v1-log-acknowledge":    {nil, map[string]any{"bytes": 0, "records": 0}},
		"get-v1-master-keys":         {nil, rows(map[string]any{"id": "6f1c0a8be2d94377", "made": "2002-10-01T08:00:00Z", "state": "in force"})},
		"post-v1-master-keys-rotate": {map[string]any{"from": "2027-01-01"}, map[string]any{"id": "6f1c0a8be2d94377", "from": "2027-01-01", "file": "data/master.key", "notes": []any{}}},
		"get-v1-version":             {nil, map[string]any{"version": "1.0.0"}},
		"get-v1-panels":              {nil, rows(map[string]any{"panel": "nn", "market": "FR", "months": 1, "first": "2002-10", "last": "2002-10"})},
		"get-v1-months":              {nil, rows(map[string]any{"month": "2002-10", "market": "FR", "panel": "nn", "version": 1, "status": "final"})},
		"get-v1-metrics":             {nil, rows(map[string]any{"metric": "reach", "role": "measure", "unit": "percent", "label": "Active reach", "definition": "100 x unique audience / active universe of the location.", "reports": []any{"ranking", "trend"}})},
	}
}

func rows(first any) map[string]any { return map[string]any{"rows": []any{first}} }

// example puts an operation's example in.
func example(op *huma.Operation, _ huma.Registry) {
	e := examples()[op.OperationID]
	if op.RequestBody != nil && e.in != nil {
		op.RequestBody.Content["application/json"].Example = e.in
	}
	for _, status := range []string{"200", "201"} {
		if answer := op.Responses[status]; e.out != nil && answer != nil {
			answer.Content["application/json"].Example = e.out
		}
	}
}

// tableExample is a table of one row.
func tableExample(t Report) map[string]any {
	row, columns := map[string]any{}, []any{}
	for _, c := range t.Columns {
		value, role := cellExample(t.Name, c), "dimension"
		if _, ok := value.(map[string]any); ok {
			role = "measure"
		}
		row[c] = value
		columns = append(columns, map[string]any{"name": c, "role": role, "label": strings.ReplaceAll(c, "_", " "), "definition": "as GET /v1/metrics says"})
	}
	return map[string]any{
		"meta": map[string]any{
			"report": t.Name, "market": "FR", "panel": "nn", "month": "2002-10", "location": "home+work", "credit": "presence", "version": 1, "status": "final", "simulated": false,
			"confidence": 0.95, "thresholds": map[string]any{"low": 30, "caution": 60}, "method": "weights=raked", "notes": []any{},
		},
		"columns": columns, "rows": []any{row},
	}
}

func cellExample(report, column string) any {
	if report == "quality" && column == "target" {
		column = "achieved"
	}
	example, ok := map[string]any{
		"service": "msn", "other": "icq", "services": []any{"msn", "icq"}, "level": "service", "month": "2002-10", "target": "age=15-24", "days": "2-3", "day": 1,
		"date": "2002-10-01", "margin": "sex", "category": "F", "rank": 1, "rank_low": 1, "rank_high": 2, "rank_change": 0, "tied_with": []any{"icq"}, "tie_group": 1,
		"significant": false, "rule": "union", "checked": 12, "violations": []any{}, "figure": "unique_audience", "market": "FR", "panel": "nn", "version": 1, "status": "final", "differs": true, "tied_markets": []any{"BE"}, "location": "home+work", "exact": false,
	}[column]
	if ok {
		return example
	}
	return map[string]any{"value": 1585000.4, "se": 61200.1, "low": 1465049.8, "high": 1704951.0, "n": 812, "status": "ok"}
}
