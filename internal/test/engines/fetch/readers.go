package main

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
)

// readersList pins DuckDB, pyarrow, pandas, openpyxl, frictionless and gptables, which read
// exports, aiosmtpd, which takes mails, and standardwebhooks, which verifies
// webhooks, schemathesis, which asks the API what its description allows and
// forbids, and all that they need. Who changes it gives it a new version in package cache.
//
//go:embed readers.txt
var readersList []byte

// readers makes a Python environment with the list's libraries. It works from
// where it is renamed to, as long as it is called by its interpreter.
func readers(ctx context.Context, partial string) error {
	if err := command(ctx, partial, "python3", "-m", "venv", "."); err != nil {
		return err
	}
	list := filepath.Join(partial, "readers.txt")
	if err := os.WriteFile(list, readersList, 0o600); err != nil {
		return err
	}
	return command(ctx, partial, filepath.Join(partial, "bin", "python"), "-m", "pip", "install", "--quiet", "--requirement", list)
}
