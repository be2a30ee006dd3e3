package clickhouse

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"strconv"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"rollcall"
	"rollcall/aggregate/hll"
)

// makeDatabase makes the database where there is none, unless it must exist, on
// each server where nothing else does. It connects to "default", since a server may be rude to
// who names a database that isn't there.
func (s *database) makeDatabase(ctx context.Context, o ch.Options, existing bool) error {
	addrs := o.Addr
	o.Auth.Database = "default"
	if !s.form.eachServer() {
		return s.makeDatabaseAt(ctx, &o, existing)
	}
	for _, addr := range addrs {
		o.Addr = []string{addr}
		if err := s.makeDatabaseAt(ctx, &o, existing); err != nil {
			return err
		}
	}
	return nil
}

func (s *database) makeDatabaseAt(ctx context.Context, o *ch.Options, existing bool) error {
	c, err := ch.Open(o)
	if err != nil {
		return err
	}
	var found uint64
	err = c.QueryRow(ctx, `SELECT count() FROM system.databases WHERE name = ?`, s.form.Database).Scan(&found)
	switch {
	case err != nil || found > 0:
	case existing:
		err = fmt.Errorf("%w: the server has no such database", rollcall.ErrNotFound)
	default:
		err = c.Exec(ctx, s.form.createDatabase())
	}
	return errors.Join(err, c.Close())
}

// checkCluster compares the servers that the DSN names with the cluster's.
func (s *database) checkCluster(ctx context.Context) error {
	if s.form.Cluster == "" {
		return nil
	}
	var servers uint64
	err := s.db.QueryRow(ctx, `SELECT count() FROM system.clusters WHERE cluster = ?`, s.form.Cluster).Scan(&servers)
	if err != nil {
		return err
	}
	if servers == 0 {
		return &rollcall.Invalid{Field: "cluster", Value: s.form.Cluster, Reason: "is not in the server's remote_servers", Code: "cluster"}
	}
	if n := len(s.nodes); !s.form.Replicated && n != int(servers) {
		return &rollcall.Invalid{Field: "cluster", Value: s.form.Cluster, Reason: fmt.Sprintf("has %d servers without a Keeper, and the DSN names %d: name them all", servers, n), Code: "cluster"}
	}
	return nil
}

// migrate runs what each server has not run. The first file holds the settings,
// which say with what K the others are.
func (s *database) migrate(ctx context.Context, opt Options) error {
	if opt.Existing {
		if done, err := s.applied(ctx, s.db); err != nil {
			return err
		} else if done == 0 {
			return fmt.Errorf("%w: the database holds no store", rollcall.ErrNotFound)
		}
	}
	s.form.K = hll.DefaultK // the first file doesn't ask
	had, _, err := s.apply(ctx, 0, 1)
	if err != nil {
		return err
	}
	if err := s.settle(ctx, opt); err != nil {
		return err
	}
	_, has, err := s.apply(ctx, 1, -1)
	if err == nil && has > had {
		s.log.Info("migrated the store", "from", had, "to", has)
	}
	return err
}

// apply runs the migrations [from, to), to -1 for all, on each server that has
// no record of them. It gives the number of the last one that every server had, and
// to.
func (s *database) apply(ctx context.Context, from, to int) (had, last int, err error) {
	all, err := s.form.migrations()
	if err != nil {
		return 0, 0, err
	}
	had = len(all)
	if to < 0 {
		to = len(all)
	}
	for _, node := range s.nodes {
		done, err := s.applied(ctx, node)
		if err != nil {
			return 0, 0, err
		}
		had = min(had, done)
		if done > len(all) {
			return 0, 0, fmt.Errorf("%w: the store has %d migrations, this Rollcall knows %d: it was made by a newer one", rollcall.ErrConflict, done, len(all))
		}
		for _, m := range all[min(max(from, done), to):to] {
			if err := s.run(ctx, node, m); err != nil {
				return 0, 0, fmt.Errorf("migration %s: %w", m.name, err)
			}
		}
	}
	return had, to, nil
}

// applied gives the number of the last migration that a server ran, 0 for an
// empty database.
func (s *database) applied(ctx context.Context, node driver.Conn) (last int, err error) {
	var tables, ours uint64
	const look = `SELECT count(), countIf(name = 'migrations') FROM system.tables WHERE database = ?`
	if err := node.QueryRow(ctx, look, s.form.Database).Scan(&tables, &ours); err != nil {
		return 0, err
	}
	if ours == 0 {
		if tables != 0 && !s.form.Replicated { // there a neighbour may have made some
			return 0, fmt.Errorf("%w: the database holds other tables; give Rollcall one of its own", rollcall.ErrConflict)
		}
		return 0, nil
	}
	var number uint32
	err = node.QueryRow(ctx, `SELECT max(number) FROM migrations`).Scan(&number)
	return int(number), err
}

func (s *database) run(ctx context.Context, node driver.Conn, m migration) error {
	for _, statement := range m.statements {
		if err := node.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := insert(ctx, node, `INSERT INTO migrations (number, name)`, []any{uint32(m.number), m.name}); err != nil {
		return err
	}
	s.log.Debug("ran a migration of the store", "migration", m.name)
	return nil
}

// settle gives a new store its id and K, reads what the store has, and compares
// it with what is asked for.
func (s *database) settle(ctx context.Context, opt Options) error {
	k := opt.K
	has, err := s.settings(ctx)
	if err == nil && len(has) == 0 {
		if err = s.begin(ctx, k); err == nil {
			has, err = s.settings(ctx)
		}
	}
	if err != nil {
		return fmt.Errorf("read the store's settings: %w", err)
	}
	s.id = has["id"]
	if s.form.K, err = strconv.Atoi(has["k"]); err != nil || hll.CheckK(s.form.K) != nil {
		return fmt.Errorf("%w: the store's settings are damaged: %v", rollcall.ErrConflict, has)
	}
	if k != 0 && k != s.form.K {
		return fmt.Errorf("%w: the store's sketches have precision %d and %d is asked for; a store keeps the precision it was made with", rollcall.ErrConflict, s.form.K, k)
	}
	if c := has["cluster"]; c != s.form.Cluster {
		return fmt.Errorf("%w: the store was made on cluster %q and %q is asked for", rollcall.ErrConflict, c, s.form.Cluster)
	}
	return checkCopy(has, opt.CopyOf)
}

func (s *database) settings(ctx context.Context) (map[string]string, error) {
	type setting struct{ name, value string }
	all, err := list(ctx, s, func(r driver.Rows) (v setting, err error) {
		return v, r.Scan(&v.name, &v.value)
	}, `SELECT name, min(value) FROM settings GROUP BY name`)
	has := make(map[string]string, len(all))
	for _, v := range all {
		has[v.name] = v.value
	}
	return has, err
}

// begin writes the settings of a new store. Of two at once the server lets one
// in: they carry the same token.
func (s *database) begin(ctx context.Context, k int) error {
	if k == 0 {
		k = hll.DefaultK
	}
	return insert(once(ctx, "settings"), s.db, `INSERT INTO settings (name, value)`,
		[]any{"id", newID()}, []any{"k", strconv.Itoa(k)}, []any{"cluster", s.form.Cluster})
}

// once gives a context whose insert the server lets in only if it is the first
// of its token.
func once(ctx context.Context, token string) context.Context {
	return with(ctx, ch.Settings{"insert_deduplication_token": token})
}

// with gives a context whose queries have these settings besides the pool's.
func with(ctx context.Context, settings ch.Settings) context.Context {
	return ch.Context(ctx, ch.WithSettings(maps.Clone(settings)))
}

func newID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
