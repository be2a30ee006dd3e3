package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"rollcall/internal/server"
	"rollcall/internal/test/engines"
)

// TestReadingMakesNoDatabase: what only reads makes nothing on a ClickHouse
// without a store, and says that there is none.
func TestReadingMakesNoDatabase(t *testing.T) {
	clickhouse := engines.ClickHouse(t)
	before := clickhouse.Query("SHOW DATABASES")
	for _, line := range []string{
		"market list", "service list", "target list",
		"census --market FR --from 2002-10 --to 2002-10",
		"report ranking --market FR --panel nn --month 2002-10",
		"publication list --market FR",
		"close --market FR --panel nn --month 2002-10",
		"panel erase --panel nn --panelist P1",
		"store check",
	} {
		var usage server.UsageError
		err := run(t.Context(), append(strings.Fields(line), "--clickhouse", "clickhouse://"+clickhouse.Addr()+"/none"), nil, io.Discard, io.Discard)
		if err == nil || errors.As(err, &usage) || !strings.Contains(err.Error(), "no such database") {
			t.Errorf("%s: %v", line, err)
		}
	}
	if after := clickhouse.Query("SHOW DATABASES"); after != before {
		t.Errorf("the databases were %q, and are %q", before, after)
	}
}
