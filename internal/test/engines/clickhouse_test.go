package engines

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestClickHouseKeepsWhatItAcknowledged(t *testing.T) {
	c := ClickHouse(t)
	c.Query("CREATE TABLE seen (n UInt64) ENGINE = MergeTree ORDER BY n")
	c.Query("INSERT INTO seen SELECT number FROM numbers(1000)")

	c.Kill()
	c.Restart()
	wantAnswer(t, c, "SELECT count(), sum(n) FROM seen", "1000\t499500")

	c.Query("INSERT INTO seen VALUES (1000)")
	c.Restart() // an orderly one
	wantAnswer(t, c, "SELECT count(), sum(n) FROM seen", "1001\t500500")
}

// TestClickHouseSaysWhatItDiedOf: a server that aborts leaves the signal in its log,
// and the test is told.
func TestClickHouseSaysWhatItDiedOf(t *testing.T) {
	c := ClickHouse(t)
	c.signal(syscall.SIGABRT)
	<-c.ended
	if how := c.Died(); !strings.Contains(how, "abort") {
		t.Errorf("it died: %q", how)
	}
	if log := string(c.logTail()); !strings.Contains(log, "<Fatal>") {
		t.Errorf("the end of its log is\n%s", log)
	}
}

// TestClickHouseOutlivesRudeClients: a client that resets its connection, as any does
// that closes it before it has read all, takes no other's server away.
func TestClickHouseOutlivesRudeClients(t *testing.T) {
	c := ClickHouse(t)
	hello := "\x00\x01t\x18\x01\xc0\xa9\x03\x07default\x07default\x00" // revision 54464, no password
	for range 50 {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.Addr())
		if err != nil {
			t.Fatalf("after a reset the server is away: %v", err)
		}
		if _, err := conn.Write([]byte(hello)); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Fatalf("read the server's own hello: %v", err)
		}
		if err := errors.Join(conn.(*net.TCPConn).SetLinger(0), conn.Close()); err != nil {
			t.Fatal(err)
		}
	}
	wantAnswer(t, c, "SELECT 1", "1")
	if how := c.Died(); how != "" {
		t.Errorf("it died: %s", how)
	}
}

func TestClickHousePaused(t *testing.T) {
	c := ClickHouse(t)
	c.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := c.Try(ctx, "SELECT 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a paused ClickHouse answered with %v; want a timeout", err)
	}
	c.Resume()
	wantAnswer(t, c, "SELECT 1", "1")
}

func TestClickHouseRefuses(t *testing.T) {
	c := ClickHouse(t)
	_, err := c.Try(t.Context(), "SELECT nothing")
	if err == nil || !strings.Contains(err.Error(), "UNKNOWN_IDENTIFIER") {
		t.Fatalf("SELECT nothing: %v; want ClickHouse's own words", err)
	}
}

func TestClickHouseListensNatively(t *testing.T) {
	c := ClickHouse(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.Addr())
	if err != nil {
		t.Fatalf("dial the native port: %v", err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestClickHouseCluster(t *testing.T) {
	shards := ClickHouseCluster(t, 2)
	for _, c := range shards {
		c.Query("CREATE TABLE seen (n UInt64) ENGINE = MergeTree ORDER BY n")
		c.Query("CREATE TABLE everywhere AS seen ENGINE = Distributed(" + Cluster + ", currentDatabase(), seen, n)")
	}
	shards[0].Query("INSERT INTO everywhere SETTINGS distributed_foreground_insert = 1 SELECT number FROM numbers(1000)")
	for i, c := range shards {
		wantAnswer(t, c, "SELECT count(), sum(n) FROM everywhere", "1000\t499500")
		if got := c.Query("SELECT count(), countIf(n % 2 != " + string(rune('0'+i)) + ") FROM seen"); got != "500\t0" {
			t.Errorf("shard %d holds count and strangers %q; want its half, n %% 2 = %d", i, got, i)
		}
	}
}

func wantAnswer(t *testing.T, c *ClickHouseServer, query, want string) {
	t.Helper()
	if got := c.Query(query); got != want {
		t.Errorf("%s = %q; want %q", query, got, want)
	}
}
