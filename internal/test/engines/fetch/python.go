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

// synapseList pins Synapse and all that it needs.
//
//go:embed synapse.txt
var synapseList []byte

// environment makes a Python environment with a list's libraries. It works from
// where it is renamed to, as long as it is called by its interpreter.
func environment(ctx context.Context, partial string, list []byte) error {
	if err := command(ctx, partial, "python3", "-m", "venv", "."); err != nil {
		return err
	}
	path := filepath.Join(partial, "list.txt")
	if err := os.WriteFile(path, list, 0o600); err != nil {
		return err
	}
	return command(ctx, partial, filepath.Join(partial, "bin", "python"), "-m", "pip", "install", "--quiet", "--requirement", path)
}
