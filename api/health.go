package api

import (
	"context"
	"encoding/json"
	"net/http"
)

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nobody is left to tell
}

// health says that the process lives.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"status": "ok"})
}

// ready says whether the store and the log answer.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	if s.Ready != nil {
		if err := s.Ready(r.Context()); err != nil {
			s.Logger.Warn("not ready", "error", err)
			problem(w, http.StatusServiceUnavailable, "not ready")
			return
		}
	}
	writeJSON(w, map[string]string{"status": "ready"})
}

type version struct {
	Version string `json:"version"`
}

func (s *Server) getVersion(context.Context, *struct{}) (*body[version], error) {
	return &body[version]{Body: version{s.Version}}, nil
}

type backupInput struct {
	Body struct {
		File string `json:"file" minLength:"1"`
	}
}

func (s *Server) postBackup(ctx context.Context, in *backupInput) (*struct{}, error) {
	if err := s.Backup(ctx, in.Body.File); err != nil {
		return nil, s.fault("backup", err)
	}
	return nil, nil
}
