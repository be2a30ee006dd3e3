package engines

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"rollcall/internal/test/engines/cache"
)

// synapseVisits is a module that Synapse loads.
//
//go:embed synapse_visits.py
var synapseVisits string

// SynapseServer is a Synapse of one process with SQLite, its accounts @NAME:x.example.
type SynapseServer struct {
	process
	URL     string
	Secret  string // that registrations are signed with
	LogFile string // its homeserver.log, in the zone of Zone
	Zone    string
}

func missingSynapse(dir cache.Dir) string {
	if !cache.Present(dir.SynapsePython()) {
		return dir.Synapse() + " is not there: \"make engines\" fetches it"
	}
	return missingProgram("sqlite3", "sqlite3")
}

// Synapse starts a Synapse whose clock begins at a time, and stops it with the test.
func Synapse(t testing.TB, begin time.Time) *SynapseServer {
	t.Helper()
	Require(t, SynapseEngine)
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	port := freePorts(t, 1)[0]
	s := &SynapseServer{URL: "http://" + address(port), Secret: "for registrations", Zone: "Europe/Paris"}
	s.process = process{t: t, name: "Synapse on " + s.URL, dir: t.TempDir()}
	s.LogFile = filepath.Join(s.dir, "homeserver.log")
	for name, text := range map[string]string{
		"synapse_visits.py": synapseVisits,
		"log.yaml":          synapseLog,
		"homeserver.yaml":   fmt.Sprintf(synapseConfig, port, s.Secret, begin.Unix()),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.argv = []string{"env", "PYTHONPATH=" + s.dir, "TZ=" + s.Zone, dir.SynapsePython(), "-m", "synapse.app.homeserver", "-c", "homeserver.yaml"}
	keys := exec.CommandContext(t.Context(), s.argv[0], append(s.argv[1:], "--generate-keys")...)
	keys.Dir = s.dir
	if out, err := keys.CombinedOutput(); err != nil {
		t.Fatalf("Synapse's keys: %v\n%s", err, out)
	}
	s.answer = func(ctx context.Context) error { return answersHTTP(ctx, s.URL+"/_matrix/client/versions") }
	t.Cleanup(s.cleanUp)
	s.start()
	return s
}

// Visit has Synapse write its daily visits, and then begin the day that comes some
// days later.
func (s *SynapseServer) Visit(t testing.TB, days int) {
	t.Helper()
	if err := answersHTTP(t.Context(), fmt.Sprintf("%s/rollcall?days=%d", s.URL, days)); err != nil {
		t.Fatal(err)
	}
}

// Table gives a table, or what else a query asks of Synapse's database, as CSV with a header.
func (s *SynapseServer) Table(t testing.TB, query string) []byte {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sqlite3", "-readonly", "-csv", "-header", filepath.Join(s.dir, "homeserver.db"), query)
	var failed bytes.Buffer
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v: %s", query, err, failed.Bytes())
	}
	return out
}

// The log's format is what Synapse writes by default. Its limits of logins are
// above what a test does.
const (
	synapseLog = `version: 1
formatters: {precise: {format: '%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s'}}
handlers: {file: {class: logging.FileHandler, formatter: precise, filename: homeserver.log}}
root: {level: INFO, handlers: [file]}
disable_existing_loggers: false
`
	synapseConfig = `server_name: x.example
listeners: [{port: %d, type: http, bind_addresses: [127.0.0.1], resources: [{names: [client]}]}]
database: {name: sqlite3, args: {database: homeserver.db}}
log_config: log.yaml
media_store_path: media
signing_key_path: signing.key
pid_file: pid
registration_shared_secret: %q
macaroon_secret_key: of macaroons
form_secret: of forms
report_stats: false
bcrypt_rounds: 4
trusted_key_servers: []
suppress_key_server_warning: true
allow_guest_access: true
rc_registration: &none {per_second: 1000, burst_count: 1000}
rc_login: {address: *none, account: *none, failed_attempts: *none}
modules: [{module: synapse_visits.Visits, config: {begin: %d}}]
`
)
