package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"rollcall"
	"rollcall/ingest"
	"rollcall/ingest/masters"
)

// keyVariable is the environment variable that may hold the master key itself.
const keyVariable = "ROLLCALL_KEY"

// keyPlace says where the pseudonyms' master keys are: in the file that is
// named, in the environment, or in the data folder's file; the zero place is
// that of a process that only reads.
func (e *Engine) keyPlace() (masters.Place, error) {
	text := os.Getenv(keyVariable)
	switch {
	case e.KeyFile != "":
		return masters.Place{Path: e.KeyFile, Name: e.KeyFile}, nil
	case text != "":
		return masters.Place{Text: text, Name: "$" + keyVariable}, nil
	case e.Clickhouse != "" && len(e.Brokers) == 0:
		return masters.Place{}, nil // whatever needs the key will say so
	case e.onCluster():
		return masters.Place{}, UsageError{Err: errors.New("with --brokers the pseudonyms' master key must be given: --key-file FILE, $ROLLCALL_KEY_FILE or $ROLLCALL_KEY")}
	}
	return masters.Place{Path: keyPath(e.Data), Name: keyPath(e.Data)}, nil
}

// newMasters finds the master keys. What is wrong with their file is said before
// any engine is waited for; a keyless process has none.
func newMasters(e *Engine, o Options, keyless bool) (*masters.Masters, error) {
	place, err := e.keyPlace()
	if err != nil {
		return nil, err
	}
	m := &masters.Masters{Place: place, Makes: !e.onCluster() && e.KeyFile == "", Now: time.Now, Log: o.Log}
	if keyless || place == (masters.Place{}) {
		return m, nil
	}
	if m.Keys, err = ingest.NewKeys(); err != nil {
		return nil, err
	}
	if own, err := place.Read(); err != nil {
		return nil, err
	} else if len(own) == 0 && e.KeyFile != "" {
		return nil, fmt.Errorf("master key: there is no file %s: put it back; the first of a new cluster is made by hand (docs/operating.md, A cluster); if it is lost: `rollcall key rotate --from DAY --lost`", e.KeyFile)
	}
	return m, nil
}

// openKeys compares the master keys with the store's.
func openKeys(ctx context.Context, p *Process) error {
	p.masters.List, p.masters.Store, p.masters.Catalogue = p.store.Masters, p.store, p.catalogue.Catalogue
	if p.masters.Keys == nil {
		return nil
	}
	if err := startKeys(ctx, p); err != nil {
		return err
	}
	p.months.Pseudonyms = p.keys.Panelist
	return nil
}

// startKeys compares the master keys with those that the store knows, and
// follows both where other processes share the store.
func startKeys(ctx context.Context, p *Process) error {
	if err := p.masters.Start(ctx); err != nil {
		return err
	}
	warnLoose(p)
	p.keys = p.masters.Keys
	if p.engine.onCluster() {
		p.background("master keys", p.masters.Follow)
	}
	return nil
}

// warnLoose says that others can read the master key: they could try guesses of
// accounts against the store's pseudonyms.
func warnLoose(p *Process) {
	if mode, loose := p.masters.Place.Loose(); loose && !p.command {
		p.Log.Warn("the master key can be read by everybody on this machine: chmod 600", "file", p.masters.Place.Path, "mode", mode.String())
	}
}

// masterKeys are the store's, for the API.
type masterKeys struct{ *masters.Masters }

// Rotate begins a new master key on a day.
func (k masterKeys) Rotate(ctx context.Context, from rollcall.Day, lost bool) (rollcall.Rotation, error) {
	if k.Place == (masters.Place{}) {
		return rollcall.Rotation{}, fmt.Errorf("%w: this needs the pseudonyms' master key (--key-file)", rollcall.ErrConflict)
	}
	return k.Masters.Rotate(ctx, from, lost)
}

func keyPath(dir string) string { return filepath.Join(dir, "master.key") }

// giveKey gives a folder this master key, unless it has one.
func giveKey(dir string, master []byte) error {
	if err := masters.Create(keyPath(dir), master); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("master key: %w", err)
	}
	return nil
}
