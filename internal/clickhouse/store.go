package clickhouse

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
	"rollcall/aggregate/hll"
)

// Options of Open.
type Options struct {
	K   int          // the sketches' precision, 12..18; 0: the store's own, hll.DefaultK in a new one
	Log *slog.Logger // nil: silent

	// Cluster names the servers' cluster (remote_servers) that the tables are
	// spread over; empty: one server.
	Cluster string
	// Replicated says that the cluster has a Keeper: its tables are replicated
	// and made ON CLUSTER. Without it the DSN names every server of the cluster.
	Replicated bool

	CopyOf   string // the id of the store whose unfinished copy may be opened too
	Existing bool   // make nothing: where there is no store that is an ErrNotFound

	User     string      // who logs in; empty: the DSN's user
	Password string      // never printed; empty: the DSN's password
	TLS      *tls.Config // speak TLS with it; nil: as the DSN says
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
	corrections
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

// corrections are what was done about mistakes in the census.
type corrections struct{ *database }

// audit is who did what.
type audit struct{ *database }

// database is the tables, and the connections to where they are.
type database struct {
	db    driver.Conn   // any of the servers: for rows in and out
	nodes []driver.Conn // where tables are made and rows removed: db, or each server of a cluster without ON CLUSTER
	form  form
	name  string // host:port/database, for errors
	id    string
	log   *slog.Logger
	pulse *pulse
	asks  []probe // what Watch asks on
}

func newStore(d *database) *Store {
	return &Store{database: d, facts: facts{database: d}, corrections: corrections{d}, catalogue: catalogue{d}, documents: documents{d}, audit: audit{d}}
}

// Open opens the store that dsn names, clickhouse://user:password@host:port/database,
// making the database and its tables if there are none and bringing them up to
// date. Further parameters of the DSN are secure=true for TLS, the driver's
// own, and ClickHouse's settings. A store of another K, of another cluster, of
// a newer Rollcall, or a database of other tables is refused with an
// ErrConflict; a login that ClickHouse refuses and a server that TLS does not
// trust are ErrInvalid. No error has the password.
func Open(ctx context.Context, dsn string, opt Options) (*Store, error) {
	o, err := options(dsn, opt)
	if err != nil {
		return nil, fmt.Errorf("open the store on ClickHouse: %w", err)
	}
	beat := newPulse(opt.Cluster != "" && !opt.Replicated)
	o.DialContext = dialer(o.TLS, o.DialTimeout, beat)
	s := newStore(&database{pulse: beat, name: strings.Join(o.Addr, ",") + "/" + o.Auth.Database, log: opt.Log})
	s.form = form{Database: o.Auth.Database, Cluster: opt.Cluster, Replicated: opt.Replicated}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.open(ctx, o, opt); err != nil {
		return nil, fmt.Errorf("open store %s: %w", s.name, errors.Join(opening(failure(ctx, err)), s.Close()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, o *ch.Options, opt Options) error {
	if opt.K != 0 {
		if err := hll.CheckK(opt.K); err != nil {
			return err
		}
	}
	if s.form.Replicated && s.form.Cluster == "" {
		return &rollcall.Invalid{Field: "cluster", Reason: "is missing: replicated tables are made on a named cluster", Code: "cluster_missing"}
	}
	if err := s.makeDatabase(ctx, *o, opt.Existing); err != nil {
		return err
	}
	if err := s.connect(o); err != nil {
		return err
	}
	if err := s.checkCluster(ctx); err != nil {
		return err
	}
	return s.migrate(ctx, opt)
}

// connections is the most that are open at once: an iterator holds one.
const connections = 32

// options reads a DSN. What it leaves open is filled in; what Merge and the
// publications rely on is set whatever it says.
func options(dsn string, opt Options) (*ch.Options, error) {
	o, err := ch.ParseDSN(dsn)
	if err != nil {
		return nil, err
	}
	if o.Protocol != ch.Native {
		return nil, &rollcall.Invalid{Field: "clickhouse", Value: o.Addr[0], Reason: "is HTTP, and only the native protocol is spoken: clickhouse://", Code: "clickhouse_scheme"}
	}
	if err := secure(o, opt); err != nil {
		return nil, err
	}
	if o.Auth.Database == "" {
		o.Auth.Database = "default"
	}
	if o.DialTimeout == 0 {
		o.DialTimeout = 10 * time.Second
	}
	if o.MaxOpenConns == 0 {
		o.MaxOpenConns, o.MaxIdleConns = connections, connections/4
	}
	for name, value := range map[string]any{
		"max_execution_time": 300,     // seconds; a server goes on with what nobody waits for
		"max_query_size":     1 << 24, // a long id or list in a query
		// Read where it was written: of each shard the first replica that is up.
		"load_balancing": "in_order",
	} {
		if _, ok := o.Settings[name]; !ok {
			o.Settings[name] = value
		}
	}
	// Acknowledge when it is stored, on every shard.
	o.Settings["async_insert"] = 0
	o.Settings["distributed_foreground_insert"] = 1
	o.Settings["mutations_sync"] = 2
	o.Settings["optimize_on_insert"] = 0 // a flush has a row a key already
	return o, nil
}

// secure puts in who logs in and how the server is known.
func secure(o *ch.Options, opt Options) error {
	o.Auth.Username = cmp.Or(opt.User, o.Auth.Username)
	o.Auth.Password = cmp.Or(opt.Password, o.Auth.Password)
	if o.TLS != nil && o.TLS.InsecureSkipVerify {
		return &rollcall.Invalid{Field: "skip_verify", Reason: "would take any server for ClickHouse; name the authority of its certificate instead", Code: "skip_verify"}
	}
	if opt.TLS == nil {
		return nil
	}
	named := opt.TLS.Clone()
	if o.TLS != nil {
		named.ServerName = cmp.Or(named.ServerName, o.TLS.ServerName)
	}
	o.TLS = named
	return nil
}

// connect makes the pools. It dials nothing.
func (s *database) connect(o *ch.Options) (err error) {
	if s.db, err = ch.Open(o); err != nil {
		return err
	}
	if err := s.probes(o); err != nil {
		return err
	}
	s.nodes = []driver.Conn{s.db}
	if !s.form.eachServer() {
		return nil
	}
	s.nodes = nil
	for _, addr := range o.Addr {
		one := *o
		one.Addr = []string{addr}
		node, err := ch.Open(&one)
		if err != nil {
			return err
		}
		s.nodes = append(s.nodes, node)
	}
	return nil
}

// Close ends all use of the store. Iterators must have ended.
func (s *Store) Close() error {
	var errs []error
	all := append([]driver.Conn{s.db}, s.nodes...)
	for _, one := range s.asks {
		all = append(all, one.db)
	}
	for _, c := range all {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the store: %w", err)
	}
	return nil
}

// Ping asks whether the server answers.
func (s *database) Ping(ctx context.Context) error {
	if err := s.db.Ping(ctx); err != nil {
		return fmt.Errorf("ping store %s: %w", s.name, failure(ctx, err))
	}
	return nil
}

// Backup refuses: a server writes its backups to its own disk or bucket, not
// to a path of this machine.
func (s *Store) Backup(_ context.Context, path string) error {
	return fmt.Errorf("back up the store to %s: %w: ClickHouse backs itself up, where its own configuration says: BACKUP DATABASE %s TO Disk('backups', 'rollcall.zip')",
		path, errors.ErrUnsupported, identifier(s.form.Database))
}

// ID gives the store's own random id, made with the store: 16 hexadecimal
// digits. It stands in the consumer group's name, so that an empty store reads
// the whole log.
func (s *database) ID() string { return s.id }

// K gives the precision of the store's sketches.
func (s *database) K() int { return s.form.K }

// AddMaster records a master key's hash; the same again changes nothing.
func (s *database) AddMaster(ctx context.Context, m rollcall.Master) error {
	all, err := s.Masters(ctx)
	if err == nil && !slices.ContainsFunc(all, func(has rollcall.Master) bool { return has.ID == m.ID }) {
		err = s.put(ctx, `INSERT INTO masters (id, first, lost, time)`, m.ID.String(), dayTime(m.From), m.Lost, m.Time)
	}
	if err != nil {
		return fmt.Errorf("record a master key: %w", err)
	}
	return nil
}

// Masters gives the recorded master keys, the earliest first.
func (s *database) Masters(ctx context.Context) ([]rollcall.Master, error) {
	all, err := list(ctx, s, func(r driver.Rows) (m rollcall.Master, err error) {
		var id string
		if err := r.Scan(&id, dayColumn{&m.From}, &m.Lost, timeColumn{&m.Time}); err != nil {
			return m, err
		}
		m.ID, err = rollcall.ParseKeyID(id)
		return m, err
	}, `SELECT id, first, lost, time FROM masters ORDER BY first, time, id LIMIT 1 BY id`)
	if err != nil {
		return nil, fmt.Errorf("read the master keys: %w", err)
	}
	return all, nil
}
