package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/go-units"
	"go.yaml.in/yaml/v4"

	"rollcall/aggregate"
	"rollcall/ingest/collect/web"
	"rollcall/internal/server"
	"rollcall/internal/test/engines/cache"
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

// TestComposeVersions: the containers are of the versions that the tests run.
func TestComposeVersions(t *testing.T) {
	tested := map[string]string{"apache/kafka": cache.KafkaVersion, "clickhouse/clickhouse-server": cache.ClickHouseVersion}
	for name, service := range composeFile(t).Services {
		image, tag, _ := strings.Cut(service.Image, ":")
		if version, ok := tested[image]; ok && !strings.HasPrefix(version+".", tag+".") {
			t.Errorf("%s is of %s; the tests run %s", name, tag, version)
		}
		delete(tested, image)
	}
	if len(tested) > 0 {
		t.Errorf("no container is of %v", slices.Collect(maps.Keys(tested)))
	}
}

// kubernetes is as much of a file of deploy/kubernetes as is compared here.
type kubernetes struct {
	Images []struct {
		Name   string
		NewTag string `yaml:"newTag"`
	}
	ConfigMapGenerator []struct{ Literals []string } `yaml:"configMapGenerator"`
	Spec               struct {
		Template struct {
			Spec struct {
				Containers []struct {
					Args      []string
					Resources struct{ Limits struct{ Memory string } }
				}
			}
		}
	}
}

// manifest reads the objects of one file.
func manifest(t *testing.T, name string) (objects []kubernetes) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, "deploy/kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	for d := yaml.NewDecoder(bytes.NewReader(text)); ; {
		var one kubernetes
		switch err := d.Decode(&one); {
		case errors.Is(err, io.EOF):
			return objects
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		}
		objects = append(objects, one)
	}
}

// TestKubernetesCommands: what the pods are told, by arguments and variables, is
// what this command understands, and a pod may have a tenth more memory than its
// role may hold.
func TestKubernetesCommands(t *testing.T) {
	parser, err := newParser(t.Context(), &streams{out: io.Discard, err: io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	known := variables(parser.Model.Node)
	for _, file := range []string{"base/kustomization.yaml", "overlays/example/kustomization.yaml"} {
		for _, literal := range manifest(t, file)[0].ConfigMapGenerator[0].Literals {
			name, value, _ := strings.Cut(literal, "=")
			if !known[name] {
				t.Errorf("%s: no flag is called %s", file, name)
			}
			t.Setenv(name, value)
		}
	}
	holds := map[string]int64{
		"collector": web.DefaultMemory + server.IdleMemory, "aggregator": 2*aggregate.DefaultBytes + server.IdleMemory, "serve": server.ServeMemory,
	}
	for role, bound := range holds {
		container := manifest(t, "base/"+role+".yaml")[0].Spec.Template.Spec.Containers[0]
		if _, err := parser.Parse(container.Args); err != nil {
			t.Errorf("%s: rollcall %v: %v", role, container.Args, err)
		}
		limit, err := units.RAMInBytes(container.Resources.Limits.Memory + "B")
		if err != nil || limit < bound+bound/10 || limit > bound+bound/5 {
			t.Errorf("%s: limit %s (%v), and it may hold %d MiB", role, container.Resources.Limits.Memory, err, bound>>20)
		}
	}
}

// variables are those that stand for the flags of a command and of all below it.
func variables(n *kong.Node) map[string]bool {
	known := map[string]bool{}
	for _, flag := range n.Flags {
		for _, name := range flag.Envs {
			known[name] = true
		}
	}
	for _, child := range n.Children {
		maps.Copy(known, variables(child))
	}
	return known
}

// TestKubernetesVersion: the image is of this version.
func TestKubernetesVersion(t *testing.T) {
	for _, file := range []string{"base/kustomization.yaml", "overlays/example/kustomization.yaml"} {
		for _, image := range manifest(t, file)[0].Images {
			if image.NewTag != version {
				t.Errorf("%s: %s:%s; this is %s", file, image.Name, image.NewTag, version)
			}
		}
	}
}

// TestUnitCommands: what systemd's units start is understood, and may have a
// tenth more memory than it may hold.
func TestUnitCommands(t *testing.T) {
	parser, err := newParser(t.Context(), &streams{out: io.Discard, err: io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	known := variables(parser.Model.Node)
	for _, line := range regexp.MustCompile(`(?m)^(\w+)=(.*)$`).FindAllStringSubmatch(readFile(t, "deploy/systemd/cluster.env"), -1) {
		if !known[line[1]] {
			t.Errorf("no flag is called %s", line[1])
		}
		t.Setenv(line[1], line[2])
	}
	for unit, bound := range map[string]int64{
		"rollcall": server.RunMemory, "rollcall-collect": web.DefaultMemory + server.IdleMemory,
		"rollcall-aggregate": 2*aggregate.DefaultBytes + server.IdleMemory, "rollcall-serve": server.ServeMemory,
	} {
		text := readFile(t, "deploy/systemd/"+unit+".service")
		command := regexp.MustCompile(`(?m)^ExecStart=/usr/bin/rollcall (.*)$`).FindStringSubmatch(text)
		if _, err := parser.Parse(strings.Fields(command[1])); err != nil {
			t.Errorf("%s: %v", unit, err)
		}
		memory := regexp.MustCompile(`(?m)^MemoryMax=(\d+)M$`).FindStringSubmatch(text)
		limit, err := units.RAMInBytes(memory[1] + "MiB")
		if err != nil || limit < bound+bound/10 || limit > bound+bound/5 {
			t.Errorf("%s: %s (%v), and it may hold %d MiB", unit, memory[0], err, bound>>20)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(checkout, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
