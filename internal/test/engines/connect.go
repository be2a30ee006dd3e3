package engines

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"rollcall/internal/test/engines/cache"
)

// Connect starts a Kafka Connect of one process, with a worker's configuration and a
// connector's, and stops it with the test. Its REST API is on a port of its own, and
// its folder of plugins has the files' connector.
func Connect(t testing.TB, worker, connector string) {
	t.Helper()
	Require(t, ConnectEngine)
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	rest := "http://" + address(freePorts(t, 1)[0])
	p := process{t: t, name: "Kafka Connect on " + rest, dir: t.TempDir()}
	p.argv = []string{"java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.level=WARN", "-cp", filepath.Join(dir.ConnectJars(), "*"), "org.apache.kafka.connect.cli.ConnectStandalone"}
	worker += fmt.Sprintf("\nlisteners=%s\nplugin.path=%s\n", rest, filepath.Join(dir.ConnectJars(), cache.ConnectPlugins))
	for name, text := range map[string]string{"worker.properties": worker, "connector.properties": connector} {
		if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.argv = append(p.argv, "worker.properties", "connector.properties")
	p.answer = func(ctx context.Context) error { return answersHTTP(ctx, rest) }
	t.Cleanup(p.cleanUp)
	p.start()
}

func answersHTTP(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return nil
}
