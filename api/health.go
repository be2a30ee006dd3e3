package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync/atomic"
)

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client has gone: nobody is left to tell
}

// Health answers the probes, the same for every role: GET /healthz says that the
// process lives, GET /readyz whether it can do its work now.
type Health struct {
	Ready    func(context.Context) error    // nil: always
	Degraded func(context.Context) []string // what somebody should look at; nil: nothing ever
	Log      *slog.Logger                   // where it says why not
}

// Live answers /healthz.
func (h Health) Live(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"status": "ok"})
}

// CanWork answers /readyz.
func (h Health) CanWork(w http.ResponseWriter, r *http.Request) {
	if h.Ready != nil {
		if err := h.Ready(r.Context()); err != nil {
			h.Log.Warn("not ready", "error", err)
			problem(w, http.StatusServiceUnavailable, "not ready")
			return
		}
	}
	if h.Degraded != nil {
		if why := h.Degraded(r.Context()); len(why) > 0 {
			writeJSON(w, degraded{"degraded", why})
			return
		}
	}
	writeJSON(w, map[string]string{"status": "ready"})
}

// degraded is the answer of a process that does its work, while something is not
// as it should be.
type degraded struct {
	Status  string   `json:"status"`
	Reasons []string `json:"reasons"`
}

// Gate answers in place of a handler that is still starting: the process lives,
// and can do nothing else yet.
type Gate struct{ handler atomic.Pointer[http.Handler] }

// Open lets every later request through to h.
func (g *Gate) Open(h http.Handler) { g.handler.Store(&h) }

// ServeHTTP passes on, or says that the process is starting.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := g.handler.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	if r.URL.Path == "/healthz" {
		Health{}.Live(w, r)
		return
	}
	w.Header().Set("Retry-After", "1")
	problem(w, http.StatusServiceUnavailable, "starting")
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
