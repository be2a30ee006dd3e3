// Package deploy_test checks what a deployment is made of, by the readers that
// Compose and Docker themselves use. That the commands are understood is
// tested in cmd/rollcall.
package deploy_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

func compose(t *testing.T) *types.Project {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir: folder, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(folder, "compose.yaml")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return project
}

// pinned is an image with a version of its own; "latest" is none.
var pinned = regexp.MustCompile(`:(\d+(\.\d+)+|local)$`)

// TestCompose: each service has a version, a health check and a restart; what
// is Rollcall's may do nothing but its work, and is reached from this machine
// alone.
func TestCompose(t *testing.T) {
	project := compose(t)
	for _, want := range []string{"kafka", "clickhouse", "collector", "aggregator", "api"} {
		if _, ok := project.Services[want]; !ok {
			t.Errorf("there is no service %s", want)
		}
	}
	for name, s := range project.Services {
		if !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q has no fixed version", name, s.Image)
		}
		if s.HealthCheck == nil || len(s.HealthCheck.Test) < 2 || s.Restart != "unless-stopped" {
			t.Errorf("%s: has no health check, or is not restarted", name)
		}
		for _, p := range s.Ports {
			if p.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open to %q", name, p.Published, p.HostIP)
			}
		}
		if s.Build == nil {
			continue
		}
		if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") || s.Privileged {
			t.Errorf("%s: may do more than it needs", name)
		}
		if dockerfile := filepath.Join(s.Build.Context, s.Build.Dockerfile); !exists(dockerfile) {
			t.Errorf("%s: is built from %s, which is not there", name, dockerfile)
		}
	}
	if n := project.Services["aggregator"].Deploy.Replicas; n == nil || *n != 2 {
		t.Errorf("%v aggregators, want 2", n)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestDockerfile: the builder's own linter has nothing to say, and the image
// has one static binary, run by a user who is not root.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, warning := range lint(t, text) {
		t.Error(warning)
	}
	stages := parse(t, text, nil)
	last := stages[len(stages)-1]
	if last.BaseName != "scratch" {
		t.Errorf("the image is made from %s, want nothing", last.BaseName)
	}
	var user, entry string
	for _, c := range last.Commands {
		switch c := c.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.EntrypointCommand:
			entry = strings.Join(c.CmdLine, " ")
			if c.PrependShell {
				t.Error("the entry point needs a shell, and there is none")
			}
		}
	}
	if !regexp.MustCompile(`^[1-9]\d*:[1-9]\d*$`).MatchString(user) || entry != "/rollcall" {
		t.Errorf("user %q, entry point %q", user, entry)
	}
	if !bytes.Contains(text, []byte("CGO_ENABLED=0")) {
		t.Error("the binary may need a C library")
	}
	if !bytes.Contains(text, []byte("COPY --from=page /web/dist dashboards/web/dist\nRUN CGO_ENABLED=0 go build")) {
		t.Error("the binary has no page in it")
	}
}

// TestLinterLints: a Dockerfile that the linter must refuse.
func TestLinterLints(t *testing.T) {
	if got := lint(t, []byte("FROM scratch as Base\nMAINTAINER nobody\n")); len(got) < 2 {
		t.Errorf("the linter says only %q", got)
	}
}

func lint(t *testing.T, text []byte) (warnings []string) {
	t.Helper()
	parse(t, text, func(rule, _, _, msg string, _ []parser.Range) { warnings = append(warnings, rule+": "+msg) })
	return warnings
}

func parse(t *testing.T, text []byte, warn linter.LintWarnFunc) []instructions.Stage {
	t.Helper()
	tree, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := instructions.Parse(tree.AST, linter.New(&linter.Config{Warn: warn}))
	if err != nil {
		t.Fatal(err)
	}
	return stages
}
