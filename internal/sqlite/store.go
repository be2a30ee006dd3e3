package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	driver "modernc.org/sqlite"

	"rollcall/aggregate/hll"

	"rollcall"
)

// Options of Open.
type Options struct {
	K   int          // the sketches' precision, 12..18; 0: the store's own, hll.DefaultK in a new one
	Log *slog.Logger // nil: silent
}

var (
	_ rollcall.Store       = (*Store)(nil)
	_ rollcall.DeliveryLog = (*Store)(nil)
)

// Store is an open store: facts (cells and diaries), the catalogue and documents
// (all else), in one database. It is safe for concurrent use.
type Store struct {
	*database
	facts
	catalogue
	documents
	audit
}

// facts are the cells and the diaries.
type facts struct {
	*database
	leftOut atomic.Int64 // cells and diaries
}

// catalogue is the markets, services and segments.
type catalogue struct{ *database }

// documents are what panels are weighted with, publications and targets.
type documents struct{ *database }

// audit is who did what.
type audit struct{ *database }

// database is the file, and the connections to it.
type database struct {
	writer, readers *sql.DB
	path            string // absolute
	id              string
	k               int
	log             *slog.Logger
	logBytes        int64 // see logBytes
	changes         changes
}

func newStore(d *database) *Store {
	return &Store{database: d, facts: facts{database: d}, catalogue: catalogue{d}, documents: documents{d}, audit: audit{d}}
}

// Open opens the store at path, making it (mode 0600) if there is none, and
// brings its tables up to date. A store of another K, of a newer Rollcall, or
// a database that is no store is refused with an ErrConflict.
func Open(ctx context.Context, path string, opt Options) (*Store, error) {
	s, err := open(ctx, path, opt)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, failure(err))
	}
	return s, nil
}

func open(ctx context.Context, path string, opt Options) (*Store, error) {
	if opt.K != 0 {
		if err := hll.CheckK(opt.K); err != nil {
			return nil, err
		}
	}
	path, err := makeFile(path)
	if err != nil {
		return nil, err
	}
	s := newStore(&database{path: path, log: opt.Log, logBytes: logBytes})
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.connect(); err != nil {
		return nil, err
	}
	if err := s.migrate(ctx, opt.K); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// makeFile makes an empty file if there is none, since SQLite would let
// others read it: its WAL takes the file's mode. It gives the absolute path.
func makeFile(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return path, f.Close()
}

// readers is the number of reading connections: an iterator holds one, and changes
// another for good.
const readers = 9

func (s *database) connect() (err error) {
	if s.writer, err = pool(s.path, 1, url.Values{
		"_txlock": {"immediate"},
		"_pragma": {
			"page_size(16384)", "cache_size(-32768)",
			"wal_autocheckpoint(2000)", "journal_size_limit(67108864)",
		},
	}); err != nil {
		return err
	}
	s.readers, err = pool(s.path, readers, url.Values{
		"_query_only": {"1"},
		"_pragma":     {"cache_size(-8192)"},
	})
	return err
}

// busyTimeout is how long another process's lock is waited for, in milliseconds.
const busyTimeout = "30000"

// pool opens a pool of at most n connections. The driver applies _pragma
// before _journal_mode, so that a new file gets its page size.
func pool(path string, n int, v url.Values) (*sql.DB, error) {
	v.Set("_busy_timeout", busyTimeout)
	v.Set("_journal_mode", "WAL")
	v.Set("_synchronous", "FULL")
	v.Set("_dqs", "0")
	u := url.URL{Scheme: "file", Path: path, RawQuery: v.Encode()}
	c, err := driver.NewConnector(u.String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

// Close ends all use of the store. Iterators must have ended.
func (s *Store) Close() error {
	if err := errors.Join(s.changes.close(), s.readers.Close(), s.writer.Close()); err != nil {
		return fmt.Errorf("close the store: %w", failure(err))
	}
	return nil
}

// ID gives the store's own random id, made with the store: 16 hexadecimal
// digits. It stands in the consumer group's name, so that an empty store reads
// the whole log. A copy made by Backup has another.
func (s *database) ID() string { return s.id }

// K gives the precision of the store's sketches.
func (s *database) K() int { return s.k }

// write runs f in a transaction. Its statements aren't watched for the end of
// ctx one by one, which costs more than they do: f looks at ctx itself when it
// is long.
func (s *database) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return failure(err)
	}
	defer conn.Close()
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return failure(err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return failure(err)
	}
	return failure(tx.Commit())
}

// exec runs one writing statement.
func (s *database) exec(ctx context.Context, query string, args ...any) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.Exec(query, args...)
		return err
	})
}

// AddMaster records a master key's hash; the same again changes nothing.
func (s *database) AddMaster(ctx context.Context, m rollcall.Master) error {
	err := s.exec(ctx, `INSERT INTO masters (id, first, lost, time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		m.ID.String(), m.From.String(), m.Lost, timeText(m.Time))
	if err != nil {
		return fmt.Errorf("record a master key: %w", err)
	}
	return nil
}

// Masters gives the recorded master keys, the earliest first.
func (s *database) Masters(ctx context.Context) ([]rollcall.Master, error) {
	all, err := list(ctx, s, func(r *sql.Rows) (m rollcall.Master, err error) {
		var id, first string
		if err := r.Scan(&id, &first, &m.Lost, timeColumn{&m.Time}); err != nil {
			return m, err
		}
		if m.ID, err = rollcall.ParseKeyID(id); err != nil {
			return m, err
		}
		m.From, err = rollcall.ParseDay(first)
		return m, err
	}, `SELECT id, first, lost, time FROM masters ORDER BY first, time, id`)
	if err != nil {
		return nil, fmt.Errorf("read the master keys: %w", err)
	}
	return all, nil
}
