package clickhouse

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestReplicatedForm runs the ON CLUSTER form of the tables on two replicas of
// Debian's ClickHouse 18.16 with Debian's ZooKeeper, in place of a modern
// cluster, which no package holds: the engines, paths, macros and distributed
// statements are the same; types that 18.16 lacks are replaced.
func TestReplicatedForm(t *testing.T) {
	a, b := startReplicas(t)
	f := form{Database: "rollcall", Cluster: "rollcall", Replicated: true, K: 14}
	a.run(t, f.createDatabase())
	all, err := f.migrations()
	if err != nil {
		t.Fatal(err)
	}
	for again := range 2 { // run again, a migration is harmless
		for _, m := range all {
			for _, statement := range m.statements {
				if again == 1 && strings.Contains(statement, "ADD COLUMN IF NOT EXISTS") {
					continue // 18.16 can't say it
				}
				a.run(t, old(statement))
				if strings.Contains(statement, "ALTER TABLE `rollcall`.`cells` ") {
					b.run(t, old(statement))
				}
			}
		}
	}
	for _, table := range []string{"cells", "diaries", "markets", "publications", "settings", "targets"} {
		engine := b.run(t, "SELECT engine FROM system.tables WHERE database = 'rollcall' AND name = '"+table+"_local'")
		if !strings.HasPrefix(engine, "Replicated") {
			t.Errorf("on the other replica %s_local is of engine %q", table, engine)
		}
	}
	const put = `INSERT INTO rollcall.cells_local (market, service, location, kind, day, key, visitors, minutes)
		SELECT 'FR', 'msn', 'home', 'use', toDate('2002-10-03'), 1, uniqCombinedState(v), uniqCombinedState(v)
		FROM (SELECT toUInt64(number + %d) AS v FROM system.numbers LIMIT 1000)`
	a.run(t, fmt.Sprintf(put, 0))
	b.run(t, fmt.Sprintf(put, 100))
	for _, r := range []replica{a, b} {
		r.run(t, "SYSTEM SYNC REPLICA rollcall.cells_local")
		got := r.run(t, "SELECT uniqCombinedMerge(visitors) BETWEEN 1050 AND 1150 FROM rollcall.cells")
		if got != "1" {
			t.Errorf("cells of both replicas: %q", got)
		}
	}
	a.run(t, fmt.Sprintf(put, 0)+" UNION ALL SELECT 'FR', 'msn', 'home', 'use', toDate('2002-11-03'), 1, uniqCombinedState(toUInt64(1)), uniqCombinedState(toUInt64(1))")
	a.run(t, f.dropMonth("cells", 200210))
	for _, r := range []replica{a, b} {
		r.run(t, "SYSTEM SYNC REPLICA rollcall.cells_local")
		if got := r.run(t, "SELECT groupUniqArray(toYYYYMM(day)) FROM rollcall.cells_local"); got != "[200211]" {
			t.Errorf("after October was dropped the months are %q", got)
		}
	}
}

// old writes a statement in the types of 18.16.
func old(statement string) string {
	for _, r := range []struct{ from, to string }{
		{`(?m)^ *raw_.*EPHEMERAL.*\n`, ``},
		{` DEFAULT CAST\(raw_\w+, '[^']*'\)`, ``},
		{`uniqCombined64\(\d+\)`, `uniqCombined`},
		{`LowCardinality\((\w+)\)`, `$1`},
		{`SimpleAggregateFunction\(groupUniqArrayArray, Array\((\w+)\)\)`, `AggregateFunction(groupUniqArray, $1)`},
		{`SimpleAggregateFunction\((max|min), UInt8\)`, `AggregateFunction($1, UInt8)`},
		{`ADD COLUMN IF NOT EXISTS`, `ADD COLUMN`},
		{`DateTime64\(9, 'UTC'\)`, `DateTime`},
		{`Date32`, `Date`},
		{`\bBool\b`, `UInt8`},
		{`fsync_\w+ = 1, `, ``},
		{`SETTINGS non_replicated_deduplication_window = \d+`, ``},
	} {
		statement = regexp.MustCompile(r.from).ReplaceAllString(statement, r.to)
	}
	if strings.Contains(statement, "ADD COLUMN") {
		// It alters no order on a cluster, and no distributed table: a replica
		// hands the one on, and each is told the other.
		statement = strings.ReplaceAll(statement, " ON CLUSTER `rollcall`", "")
	}
	return statement
}

// replica is a server's "host:port" for HTTP.
type replica string

func (r replica) try(ctx context.Context, statement string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+string(r), strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return strings.TrimSuffix(string(body), "\n"), err
}

func (r replica) run(t *testing.T, statement string) string {
	t.Helper()
	printed, err := r.try(t.Context(), statement)
	if err != nil {
		t.Fatalf("%s\n%v", statement, err)
	}
	return printed
}

const (
	oldServer = "/usr/sbin/clickhouse-server"
	zooKeeper = "/usr/share/java/zookeeper.jar"
)

// startReplicas starts two replicas of one shard and their ZooKeeper.
func startReplicas(t *testing.T) (a, b replica) {
	t.Helper()
	for _, file := range []string{oldServer, zooKeeper} {
		if _, err := os.Stat(file); err == nil {
			continue
		}
		lacks := fmt.Sprintf("needs %s: apt-get install clickhouse-server libzookeeper-java", file)
		if os.Getenv("ROLLCALL_ENGINES") == "require" {
			t.Fatal(lacks)
		}
		t.Skip(lacks)
	}
	ports := freePorts(t, 7)
	data := t.TempDir()
	start(t, data, "java", "-cp", zooKeeper, "-Xmx128m", "-Dzookeeper.admin.enableServer=false",
		"org.apache.zookeeper.server.ZooKeeperServerMain", fmt.Sprint(ports[6]), data)
	until(t, "ZooKeeper", func(ctx context.Context) error { return askZooKeeper(ctx, ports[6]) })
	for i := range 2 {
		dir := t.TempDir()
		write(t, dir, "users.xml", oldUsers)
		config := fmt.Sprintf(oldConfig, dir, ports[i], ports[2+i], ports[4+i], ports[0], ports[1], ports[6], i)
		start(t, dir, oldServer, "--config-file="+write(t, dir, "config.xml", config))
	}
	a, b = replica(fmt.Sprint("127.0.0.1:", ports[2])), replica(fmt.Sprint("127.0.0.1:", ports[3]))
	for _, r := range []replica{a, b} {
		until(t, string(r), func(ctx context.Context) error {
			_, err := r.try(ctx, "SELECT count() FROM system.zookeeper WHERE path = '/'")
			return err
		})
	}
	return a, b
}

// askZooKeeper gives no error once it serves, which is later than it listens: a
// ClickHouse 18.16 that comes between the two crashes.
func askZooKeeper(ctx context.Context, port int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "srvr"); err != nil {
		return err
	}
	said, err := io.ReadAll(conn)
	if err == nil && !strings.Contains(string(said), "Mode: ") {
		err = fmt.Errorf("it says %q", said)
	}
	return err
}

// until returns when a server answers.
func until(t *testing.T, name string, answers func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		err := answers(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s doesn't serve: %v", name, err)
		case <-poll.C:
		}
	}
}

// start starts a server in a folder and kills it with the test.
func start(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ended := cmd.Wait() // killed, since the context has ended
		if log, err := os.ReadFile(filepath.Join(dir, "error.log")); err == nil && t.Failed() {
			t.Logf("%s: %v; the end of its log:\n%s", name, ended, log[:min(len(log), 2500)])
		}
	})
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// freePorts finds ports below those that the kernel gives to outgoing
// connections: a dial to one of these may reach itself.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	var held []net.Listener
	for tries := 0; len(ports) < n; tries++ {
		port := 20000 + rand.IntN(12000)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil && tries > 100 {
			t.Fatal(err)
		}
		if err == nil {
			held, ports = append(held, l), append(ports, port)
		}
	}
	for _, l := range held {
		_ = l.Close() // it accepted nothing
	}
	return ports
}

const oldUsers = `<yandex><profiles><default/></profiles><quotas><default/></quotas>
<users><default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>`

// oldConfig is of: folder; native, web and interserver port; both native ports
// of the cluster; ZooKeeper's port; the replica's name.
const oldConfig = `<yandex>
<logger><level>warning</level><log>%[1]s/server.log</log><errorlog>%[1]s/error.log</errorlog></logger>
<path>%[1]s/data/</path><tmp_path>%[1]s/tmp/</tmp_path><users_config>%[1]s/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database><mark_cache_size>5000000</mark_cache_size>
<listen_host>127.0.0.1</listen_host><tcp_port>%[2]d</tcp_port><http_port>%[3]d</http_port>
<interserver_http_host>127.0.0.1</interserver_http_host><interserver_http_port>%[4]d</interserver_http_port>
<remote_servers><rollcall><shard><internal_replication>true</internal_replication>
<replica><host>127.0.0.1</host><port>%[5]d</port></replica><replica><host>127.0.0.1</host><port>%[6]d</port></replica>
</shard></rollcall></remote_servers>
<zookeeper><node><host>127.0.0.1</host><port>%[7]d</port></node></zookeeper>
<macros><shard>1</shard><replica>r%[8]d</replica></macros>
<distributed_ddl><path>/clickhouse/task_queue/ddl</path></distributed_ddl>
</yandex>`
