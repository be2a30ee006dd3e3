package ingest

import "slices"

// Codes gives the codes that an event may be refused with, in their order.
func Codes() []string {
	codes := []string{
		CodeRest,
		"account_and_panelist", "account_too_long", "panelist_too_long", "panel_and_segment",
		"batch_missing", "content_type", "data_missing", "event_missing", "json", "json_depth", "line_too_long", "records", "specversion", "timestamp", "type", "type_missing", "visitor",
		"future", "too_old", "too_long", "until_before_time", "until_of_day",
		"key_lost", "key_missing", "platform", "precision", "too_many_segments", "unknown_market", "unknown_service",
	}
	for _, field := range []string{"account", "kind", "location", "market", "panel", "panelist", "segment", "service", "time", "until"} {
		codes = append(codes, field, field+"_missing")
	}
	slices.Sort(codes)
	return codes
}
