package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"

	"rollcall"
	"rollcall/internal/problem"

	"github.com/danielgtaylor/huma/v2"
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
			problem.Write(w, http.StatusServiceUnavailable, "not ready")
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
	problem.Write(w, http.StatusServiceUnavailable, "starting")
}

type version struct {
	Version string `json:"version"`
}

func (s *Server) getVersion(context.Context, *nothing) (*body[version], error) {
	return &body[version]{Body: version{s.Version}}, nil
}

// CheckedStore reads all that the store holds. Its methods are rollcall.Store's.
type CheckedStore interface {
	Check(ctx context.Context, repair bool) (rollcall.StoreCheck, error)
	SetAside(ctx context.Context) ([]rollcall.Damage, error)
	ForgetSetAside(ctx context.Context) error
}

type storeCheckInput struct {
	Body struct {
		Repair bool `json:"repair,omitempty" doc:"set damaged facts aside"`
		Forget bool `json:"forget,omitempty" doc:"drop what was set aside, once it has been rebuilt"`
	}
	Plain
}

// StoreChecked is what a check found, and what is set aside now.
type StoreChecked struct {
	rollcall.StoreCheck
	SetAside []rollcall.Damage `json:"set_aside"`
}

// storeChecks are the routes of the store's check.
type storeChecks struct{ *Server }

func (s storeChecks) post(ctx context.Context, in *storeCheckInput) (*body[StoreChecked], error) {
	var done StoreChecked
	var err error
	if in.Body.Forget {
		err = s.Store.ForgetSetAside(ctx)
	}
	if err == nil {
		done.StoreCheck, err = s.Store.Check(ctx, in.Body.Repair)
	}
	if err == nil {
		done.SetAside, err = s.Store.SetAside(ctx)
	}
	if err != nil {
		return nil, s.fault("store/check", err)
	}
	if in.Body.Repair || in.Body.Forget {
		s.audited(ctx, "repair store", "", fmt.Sprintf("%d rows are set aside", len(done.SetAside)))
	}
	done.Damaged, done.Faults, done.SetAside = append([]rollcall.Damage{}, done.Damaged...), append([]string{}, done.Faults...), append([]rollcall.Damage{}, done.SetAside...)
	return &body[StoreChecked]{Body: done}, nil
}

type backupInput struct {
	Body struct {
		File string `json:"file,omitempty" doc:"a name in the data folder's backups; where absent the copy itself is the answer"`
	}
	Plain
}

// postBackup copies the store into a file of the data folder, whose name it
// answers, or answers the copy.
func (s *Server) postBackup(ctx context.Context, in *backupInput) (*huma.StreamResponse, error) {
	path, err := s.Backup(ctx, in.Body.File)
	if err != nil {
		return nil, s.fault("backup", err)
	}
	s.audited(ctx, "backup", "", in.Body.File)
	return &huma.StreamResponse{Body: func(to huma.Context) {
		if in.Body.File != "" {
			to.SetHeader("Content-Type", "application/json")
			_ = json.NewEncoder(to.BodyWriter()).Encode(map[string]string{"file": path}) // the client has gone: nobody is left to tell
			return
		}
		if err := sendFile(to, path); err != nil {
			s.Logger.Warn("a backup was not sent whole", "error", err)
		}
	}}, nil
}

// sendFile sends a file and removes it. Its length goes first, so that a copy
// that was cut is known for one.
func sendFile(to huma.Context, path string) (err error) {
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	to.SetHeader("Content-Type", "application/vnd.sqlite3")
	to.SetHeader("Content-Length", strconv.FormatInt(info.Size(), 10))
	_, err = io.Copy(to.BodyWriter(), f)
	return err
}
