package main

import (
	"context"
	"net/http"
	"path/filepath"

	"rollcall/internal/server"
)

type backupCmd struct {
	File string `arg:"" help:"The copy; it must not exist yet." type:"path"`
	server.Engine
}

// Run copies the store while it is in use. The copy has an id of its own: a
// deployment restored from it reads the log again from its start.
func (c *backupCmd) Run(ctx context.Context, s *streams) error {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		return api.do(ctx, http.MethodPost, "/v1/backup", map[string]string{"file": path}, nil)
	})
}
