package main

import (
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// composeFile reads deploy/compose.yaml by the schema that Compose has.
func composeFile(t *testing.T) *types.Project {
	t.Helper()
	folder, err := filepath.Abs("../../deploy")
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

// TestComposeCommands: what the containers are told is what this command
// understands, and each of its secrets is given to it.
func TestComposeCommands(t *testing.T) {
	roles := 0
	for name, service := range composeFile(t).Services {
		if service.Image != "rollcall:local" {
			continue
		}
		roles++
		args := service.Command
		for _, arg := range args {
			secret, isSecret := filepath.Base(arg), filepath.Dir(arg) == "/run/secrets"
			if isSecret && !slices.ContainsFunc(service.Secrets, func(s types.ServiceSecretConfig) bool { return s.Source == secret }) {
				t.Errorf("%s names the secret %s and is not given it", name, secret)
			}
		}
		parser, err := newParser(t.Context(), &streams{out: io.Discard, err: io.Discard}, func(int) {})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(args); err != nil {
			t.Errorf("%s: rollcall %v: %v", name, args, err)
		}
		if _, err := parser.Parse(service.HealthCheck.Test[2:]); err != nil {
			t.Errorf("%s: health check %v: %v", name, service.HealthCheck.Test, err)
		}
	}
	if roles != 3 {
		t.Errorf("%d services are Rollcall's, want the three roles", roles)
	}
}
