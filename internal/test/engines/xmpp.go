package engines

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// XMPPServer is Prosody or ejabberd, as Debian has them, with the host localhost
// and the accounts ann (pwann) and bob (pwbob).
type XMPPServer struct {
	process
	port        int
	certificate string // that its own is signed by

	Log   string // at level info
	Debug string // of Prosody, at level debug
	JSON  string // of Prosody, what a module in plugins writes
}

// debianPython is Debian's: its packages are for no other.
const debianPython = "/usr/bin/python3"

func missingSlixmpp() string {
	if err := exec.Command(debianPython, "-c", "import slixmpp").Run(); err != nil { //nolint:noctx // it ends by itself
		return debianPython + " has no slixmpp: apt-get install python3-slixmpp"
	}
	return ""
}

// ejabberdCode is where Debian has ejabberd's.
func ejabberdCode() string {
	found, _ := filepath.Glob("/usr/lib/*/ejabberd-*/ebin") // the pattern is a constant
	if len(found) == 0 {
		return ""
	}
	return found[0]
}

func missingEjabberd() string {
	if ejabberdCode() == "" {
		return "ejabberd is not there: apt-get install ejabberd"
	}
	return missingProgram("erl", "erlang-base")
}

// newXMPP makes a server that isn't started, and its certificate.
func newXMPP(t testing.TB, name string) (s *XMPPServer, certificate, key string) {
	t.Helper()
	Require(t, Slixmpp)
	authority := NewAuthority(t)
	certificate, key = authority.Sign("localhost")
	s = &XMPPServer{port: freePorts(t, 1)[0], certificate: authority.File()}
	s.process = process{t: t, name: fmt.Sprint(name, " on ", s.port), dir: t.TempDir(), answer: s.answers}
	s.Log = filepath.Join(s.dir, "info.log")
	return s, certificate, key
}

func (s *XMPPServer) answers(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address(s.port))
	if err != nil {
		return err
	}
	return conn.Close()
}

func (s *XMPPServer) write(name, text string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// Prosody starts Debian's Prosody with the module rollcall of a folder, and what env
// says in its environment.
func Prosody(t testing.TB, plugins string, env ...string) *XMPPServer {
	t.Helper()
	Require(t, ProsodyEngine)
	s, certificate, key := newXMPP(t, "Prosody")
	plugins, err := filepath.Abs(plugins)
	if err != nil {
		t.Fatal(err)
	}
	s.Debug, s.JSON = filepath.Join(s.dir, "debug.log"), filepath.Join(s.dir, "rollcall.jsonl")
	for _, name := range []string{"ann", "bob"} { // as its internal_plain store has them
		folder := filepath.Join(s.dir, "data", "localhost", "accounts")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		s.write(filepath.Join("data/localhost/accounts", name+".dat"), fmt.Sprintf("return { password = %q };\n", "pw"+name))
	}
	config := s.write("prosody.cfg.lua", fmt.Sprintf(`
run_as_root = true
pidfile = %q
data_path = %q
plugin_paths = { %q }
rollcall_log = %q
interfaces = { "127.0.0.1" }
c2s_ports = { %d }
c2s_direct_tls_ports = { }
s2s_ports = { }
http_ports = { }
https_ports = { }
modules_enabled = { "disco", "roster", "saslauth", "tls", "smacks", "ping", "rollcall" }
modules_disabled = { "s2s" }
authentication = "internal_plain"
log = { info = %q, debug = %q }
VirtualHost "localhost"
ssl = { certificate = %q, key = %q }
`, filepath.Join(s.dir, "pid"), filepath.Join(s.dir, "data"), plugins, s.JSON, s.port, s.Log, s.Debug, certificate, key))
	s.argv = append(append([]string{"env"}, env...), "prosody", "--config", config, "-F")
	t.Cleanup(s.Kill)
	s.start()
	return s
}

// Ejabberd starts Debian's ejabberd, with what env says in its environment.
func Ejabberd(t testing.TB, env ...string) *XMPPServer {
	t.Helper()
	Require(t, EjabberdEngine)
	s, certificate, key := newXMPP(t, "ejabberd")
	var both []byte
	for _, path := range []string{key, certificate} {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		both = append(both, text...)
	}
	config := s.write("ejabberd.yml", fmt.Sprintf(`
loglevel: info
hosts: [localhost]
certfiles: [%q]
auth_method: internal
listen:
  - {port: %d, ip: "127.0.0.1", module: ejabberd_c2s, starttls_required: true}
modules:
  mod_roster: {}
  mod_stream_mgmt: {resume_timeout: 60}
`, s.write("both.pem", string(both)), s.port))
	code := ejabberdCode()
	s.argv = append(append([]string{"env"}, env...), "HOME="+s.dir, "EJABBERD_CONFIG_PATH="+config, "EJABBERD_LOG_PATH="+s.Log,
		"ERL_LIBS="+filepath.Dir(filepath.Dir(code)), "erl", "-noinput", "-mnesia", "dir", fmt.Sprintf("%q", filepath.Join(s.dir, "spool")),
		"-s", "ejabberd", "-eval", accounts)
	t.Cleanup(s.Kill)
	s.start()
	return s
}

// accounts adds the accounts once ejabberd can.
const accounts = `F = fun(G) -> case lists:keymember(ejabberd, 1, application:which_applications()) of true -> ok; _ -> timer:sleep(50), G(G) end end, F(F),
[ejabberd_auth:try_register(U, <<"localhost">>, P) || {U, P} <- [{<<"ann">>, <<"pwann">>}, {<<"bob">>, <<"pwbob">>}]].`

// Drive runs a script of slixmpp against the server, with arguments after the port and
// the certificate, and gives what it says it did.
func (s *XMPPServer) Drive(script string, args ...string) (did []string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), debianPython, append([]string{script, fmt.Sprint(s.port), s.certificate}, args...)...)
	cmd.SysProcAttr = dieWithParent()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("%s: %v\n%s%s", script, err, out.Bytes(), errs.Bytes())
	}
	lines := bufio.NewScanner(&out)
	for lines.Scan() {
		did = append(did, strings.TrimSpace(lines.Text()))
	}
	return did
}
