package engines

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/cpu"

	"rollcall/internal/test/engines/cache"
)

// Engine is a server that the tests run against.
type Engine string

// The engines.
const (
	KafkaEngine      Engine = "Apache Kafka"
	ConnectEngine    Engine = "Kafka Connect"
	ClickHouseEngine Engine = "ClickHouse"
	// OldClickHouseEngine is Debian's, a whole server: it has users, TLS and
	// replicas, which the library of ClickHouseEngine lacks.
	OldClickHouseEngine Engine = "ClickHouse 18.16"
	// Readers are DuckDB, pyarrow, pandas, openpyxl, frictionless and gptables in Python.
	Readers Engine = "Python's readers of exports"
	Calc    Engine = "LibreOffice"
	R       Engine = "R"
	// Survey is R with its package survey.
	Survey  Engine = "R's package survey"
	Curl    Engine = "curl and jq"
	SQLite  Engine = "sqlite3"
	Systemd Engine = "systemd-analyze"
	Tshark  Engine = "tshark"
	// Network is a network of a test's own, on which captures are replayed.
	Network Engine = "a network namespace and tcpreplay"
	// Slixmpp is the XMPP client's library in Debian's Python.
	Slixmpp        Engine = "slixmpp"
	ProsodyEngine  Engine = "Prosody"
	EjabberdEngine Engine = "ejabberd"
	SynapseEngine  Engine = "Synapse"
	// Faketime gives a server a clock of its own.
	Faketime Engine = "libfaketime"
	// Trackers are the clients of internal/test/trackers, in Node.
	Trackers Engine = "trackers' clients"
	// Producers are the clients of internal/test/producers, in Node.
	Producers Engine = "kafkajs"
	Kcat      Engine = "kcat"
	// RsyslogEngine is Debian's, with its output to Kafka.
	RsyslogEngine Engine = "rsyslog"
)

// Env names the environment variable that says what a test does where its
// engine is missing: with "require" it fails, otherwise it skips.
const Env = "ROLLCALL_ENGINES"

// Elsewhere has the rest of the test run in a folder of its own, and the engines
// found where they are now: they are looked for from the working folder.
func Elsewhere(t *testing.T) {
	t.Helper()
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(cache.Env, string(dir))
	t.Chdir(t.TempDir())
}

// Require ends the test where this machine can't run the engine: it fails if
// ROLLCALL_ENGINES is "require", as it is for "make check", and else skips.
func Require(t testing.TB, engine Engine) {
	t.Helper()
	dir, err := cache.Find()
	if err != nil {
		t.Fatal(err)
	}
	lack := missing(engine, dir)
	switch {
	case lack == "":
	case os.Getenv(Env) == "require":
		t.Fatalf("needs %s, but %s", engine, lack)
	default:
		t.Skipf("needs %s, but %s", engine, lack)
	}
}

// Long ends a test that takes too much of a machine for "make test": it runs where
// the engines are required, as they are for "make check".
func Long(t testing.TB, why string) {
	t.Helper()
	if os.Getenv(Env) != "require" {
		t.Skipf(`%s: only in "make check"`, why)
	}
}

// programs are the engines that are one program, with its package in Debian.
var programs = map[Engine][2]string{
	Calc:          {soffice, "libreoffice-calc"},
	R:             {"Rscript", "r-base-core"},
	Systemd:       {"systemd-analyze", "systemd"},
	Tshark:        {"tshark", "tshark"},
	Kcat:          {"kcat", "kcat"},
	SQLite:        {"sqlite3", "sqlite3"},
	ProsodyEngine: {"prosody", "prosody"},
}

// lacks are the other engines, with what says in a clause what each lacks here.
var lacks = map[Engine]func(cache.Dir) string{
	KafkaEngine:         func(dir cache.Dir) string { return missingJars(dir.KafkaJars()) },
	ConnectEngine:       func(dir cache.Dir) string { return missingJars(dir.ConnectJars()) },
	ClickHouseEngine:    missingClickHouse,
	OldClickHouseEngine: func(cache.Dir) string { return missingOldClickHouse() },
	Readers:             missingReaders,
	Survey: func(cache.Dir) string {
		return cmp.Or(missingProgram("Rscript", "r-base-core"), missingSurvey())
	},
	Curl: func(cache.Dir) string {
		return cmp.Or(missingProgram("curl", "curl"), missingProgram("jq", "jq"))
	},
	Network:        func(cache.Dir) string { return missingNetwork() },
	Trackers:       func(cache.Dir) string { return missingPackages("trackers") },
	Producers:      func(cache.Dir) string { return missingPackages("producers") },
	RsyslogEngine:  func(cache.Dir) string { return missingRsyslog() },
	Slixmpp:        func(cache.Dir) string { return missingSlixmpp() },
	EjabberdEngine: func(cache.Dir) string { return missingEjabberd() },
	SynapseEngine:  missingSynapse,
	Faketime:       func(cache.Dir) string { return missingFaketime() },
}

// missing says in a clause what the engine lacks here; empty: nothing.
func missing(engine Engine, dir cache.Dir) string {
	if p, one := programs[engine]; one {
		return missingProgram(p[0], p[1])
	}
	if lack := lacks[engine]; lack != nil {
		return lack(dir)
	}
	return fmt.Sprintf("there is no engine %q", string(engine))
}

func missingJars(folder string) string {
	if _, err := exec.LookPath("java"); err != nil {
		return "there is no java on the PATH (17 or later)"
	}
	if !cache.Present(folder) {
		return folder + " is not there: \"make engines\" fetches it"
	}
	return ""
}

func missingClickHouse(dir cache.Dir) string {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" || !cpu.X86.HasAVX2 {
		return "its library runs only on Linux on an x86-64 processor with AVX2"
	}
	if !cache.Present(dir.Library()) {
		return dir.Library() + " is not there: \"make engines\" fetches it"
	}
	return ""
}

func missingOldClickHouse() string {
	if !cache.Present(oldServer) {
		return oldServer + " is not there: apt-get install clickhouse-server"
	}
	return ""
}

// missingProgram is about one that a package of Debian's has.
func missingProgram(name, debian string) string {
	if _, err := exec.LookPath(name); err != nil {
		return "there is no " + name + " on the PATH: apt-get install " + debian
	}
	return ""
}

// missingSurvey is about R's packages.
func missingSurvey() string {
	if err := exec.Command("Rscript", "-e", "library(survey); library(MASS)").Run(); err != nil { //nolint:noctx // it ends by itself
		return "R lacks survey, or MASS that it needs: apt-get install r-cran-survey r-cran-mass"
	}
	return ""
}

// missingNetwork says what lacks for a network of a test's own.
func missingNetwork() string {
	for _, program := range [][2]string{{"tcpreplay", "tcpreplay"}, {"tcprewrite", "tcpreplay"}, {"ip", "iproute2"}, {"unshare", "util-linux"}} {
		if lack := missingProgram(program[0], program[1]); lack != "" {
			return lack
		}
	}
	if out, err := exec.Command("unshare", "--map-root-user", "--net", "ip", "link", "add", "type", "veth").CombinedOutput(); err != nil { //nolint:noctx // it ends by itself
		return fmt.Sprintf("the kernel gives no network: %v: %s", err, out)
	}
	return ""
}

// freePorts finds n loopback ports that nothing listens on. They are below the
// range that the kernel gives to outgoing connections, so that a server can
// come back to its own after a while.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close() // it accepted nothing
		}
	}()
	var ports []int
	for tries := 0; len(ports) < n; tries++ {
		port := 20000 + rand.IntN(12000)
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address(port))
		if err != nil {
			if tries > 100 {
				t.Fatalf("find a free port: %v", err)
			}
			continue
		}
		held, ports = append(held, l), append(ports, port)
	}
	return ports
}

func address(port int) string {
	return fmt.Sprintf("127.0.0.1:%d", port)
}
