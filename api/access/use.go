package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"sync"
	"time"

	"rollcall/internal/jsondepth"
)

// uses remembers when each key was used last, in a file beside the keys': a JSON
// object of times by the keys' ids. It is written once a minute at most, so what
// it says may be a minute old. It is safe for concurrent use.
type uses struct {
	keys string // their file
	now  func() time.Time

	mu      sync.Mutex // guards the rest
	fresh   map[string]time.Time
	written time.Time
}

// writeEvery is how often the file is written at most.
const writeEvery = time.Minute

func newUses(keys string, now func() time.Time) *uses {
	return &uses{keys: keys, now: now, fresh: map[string]time.Time{}}
}

func usesPath(keys string) string { return keys + ".used" }

// LastUsed gives the time of each key's last use, by id. A key that was never used
// is not in it.
func LastUsed(keys string) (map[string]time.Time, error) {
	last := map[string]time.Time{}
	text, err := os.ReadFile(usesPath(keys))
	if errors.Is(err, fs.ErrNotExist) {
		return last, nil
	}
	if err == nil {
		err = jsondepth.Unmarshal(text, &last)
	}
	if err != nil {
		return nil, fmt.Errorf("use of the API keys: %w", err)
	}
	return last, nil
}

// note takes note of a use, and writes the file if it is time.
func (u *uses) note(id string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := u.now()
	u.fresh[id] = now.UTC().Truncate(time.Second)
	if now.Sub(u.written) < writeEvery {
		return nil
	}
	u.written = now
	return u.write()
}

// Close writes what was not written yet.
func (u *uses) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.write()
}

// write unites the file with what is fresh. Of several servers on one file, each
// leaves the others' times.
func (u *uses) write() error {
	if len(u.fresh) == 0 {
		return nil
	}
	err := locked(u.keys, func() error {
		last, err := LastUsed(u.keys)
		if err != nil { // it was damaged: what is fresh begins it anew
			last = map[string]time.Time{}
		}
		for id, at := range u.fresh {
			if at.After(last[id]) {
				last[id] = at
			}
		}
		known, err := (&Keyring{path: u.keys}).Tokens()
		if err != nil {
			return err
		}
		ids := map[string]bool{}
		for _, t := range known {
			ids[t.ID] = true
		}
		maps.DeleteFunc(last, func(id string, _ time.Time) bool { return !ids[id] })
		text, err := json.Marshal(last)
		if err != nil {
			return err
		}
		return replaceFile(usesPath(u.keys), append(text, '\n'))
	})
	if err != nil {
		return fmt.Errorf("use of the API keys: %w", err)
	}
	clear(u.fresh)
	return nil
}
