package engines

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines/cache"
)

// ClickHouseServer is one ClickHouse, with the user "default" and no password.
type ClickHouseServer struct {
	process
	native, web int
}

// Addr is its "host:port" for the native protocol.
func (c *ClickHouseServer) Addr() string { return address(c.native) }

// HTTPAddr is its "host:port" for HTTP.
func (c *ClickHouseServer) HTTPAddr() string { return address(c.web) }

// DSN is its native address as clickhouse-go reads it, database "default".
func (c *ClickHouseServer) DSN() string { return "clickhouse://" + c.Addr() + "/default" }

// ClickHouse starts an empty ClickHouse and stops it with the test. config is
// XML to go into its <clickhouse> element. Where it can't run, see Require.
func ClickHouse(t testing.TB, config ...string) *ClickHouseServer {
	t.Helper()
	Require(t, ClickHouseEngine)
	ports := freePorts(t, 2)
	return clickHouse(t, ports[0], ports[1], config)
}

// Cluster is the name that ClickHouseCluster gives to its cluster.
const Cluster = "rollcall"

// ClickHouseCluster starts n of ClickHouse as the shards, without replicas, of
// the cluster called "rollcall", for Distributed tables. There is no Keeper, so
// neither ON CLUSTER nor a replicated table works. See also ClickHouse.
func ClickHouseCluster(t testing.TB, n int, config ...string) []*ClickHouseServer {
	t.Helper()
	Require(t, ClickHouseEngine)
	ports := freePorts(t, 2*n)
	var shards strings.Builder
	for _, native := range ports[:n] {
		fmt.Fprintf(&shards, "<shard><replica><host>127.0.0.1</host><port>%d</port></replica></shard>", native)
	}
	config = append(config[:len(config):len(config)],
		fmt.Sprintf("<remote_servers><%s>%s</%[1]s></remote_servers>", Cluster, shards.String()))
	servers := make([]*ClickHouseServer, n)
	for i := range servers {
		servers[i] = clickHouse(t, ports[i], ports[n+i], config)
	}
	return servers
}

func clickHouse(t testing.TB, native, web int, config []string) *ClickHouseServer {
	t.Helper()
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	host, err := buildHost(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	c := &ClickHouseServer{native: native, web: web}
	c.process = process{t: t, name: "ClickHouse on " + c.Addr(), dir: t.TempDir(), answer: c.answers}
	c.own = filepath.Join(c.dir, "server.log")
	file := filepath.Join(c.dir, "config.xml")
	text := "<clickhouse><logger><log>" + c.own + "</log></logger>" + strings.Join(config, "\n") + "</clickhouse>\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c.argv = []string{host, dir.Library(), strconv.Itoa(native), strconv.Itoa(web),
		"--config-file", file, "--log-level", "error", "--path", filepath.Join(c.dir, "data")}
	t.Cleanup(c.cleanUp)
	c.start()
	return c
}

// The program that loads the library. The hash of its files names the built one,
// so that a change is never hidden by a program of before.
var (
	//go:embed chserver/main.go
	hostMain []byte
	//go:embed chserver/front.go
	hostFront []byte
)

// buildHost builds chserver into the cache, if it is not there, and gives its path.
func buildHost(ctx context.Context, dir cache.Dir) (string, error) {
	sum := sha256.Sum256(slices.Concat(hostMain, hostFront))
	folder := filepath.Join(string(dir), "chserver-"+hex.EncodeToString(sum[:6]))
	err := cache.Fill(folder, func(partial string) error {
		build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", filepath.Join(partial, "chserver"),
			"rollcall/internal/test/engines/chserver")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if printed, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build chserver: %w\n%s", err, printed)
		}
		return nil
	})
	return filepath.Join(folder, "chserver"), err
}

// answers asks for a row over HTTP, which starts after the native port.
func (c *ClickHouseServer) answers(ctx context.Context) error {
	_, err := c.Try(ctx, "SELECT 1")
	return err
}

// Query runs one statement over HTTP and gives what it printed: rows of
// tab-separated values without the last newline. The test fails if it does.
func (c *ClickHouseServer) Query(statement string) string {
	c.t.Helper()
	printed, err := c.Try(c.t.Context(), statement)
	if err != nil {
		c.t.Fatal(err)
	}
	return printed
}

// Try is Query with its error, for a server that may be down or may refuse.
func (c *ClickHouseServer) Try(ctx context.Context, statement string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	// Without wait_end_of_query an error can come after a 200 and some rows.
	url := "http://" + c.HTTPAddr() + "/?wait_end_of_query=1"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(statement))
	if err != nil {
		return "", fmt.Errorf("query %q: %w", statement, err)
	}
	request.Close = true // no connection outlives the server
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("query %q: %w", statement, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("query %q: %w", statement, err)
	}
	printed := strings.TrimSuffix(string(body), "\n")
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("query %q: %s: %s", statement, response.Status, printed)
	}
	return printed, nil
}
