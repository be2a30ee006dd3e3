// Package grafana_test checks what Grafana is given without starting one: the
// boards are whole, name no source of one installation, and ask the REST API
// what its description has. cmd/rollcall asks their questions of real engines.
package grafana_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"go.yaml.in/yaml/v4"

	"rollcall/internal/test/boardtest"
)

// TestBoards: every panel has an id of its own, a place of its own, a title, a
// unit, and a sentence that says what it shows; whatever it asks is asked of a
// source that the reader chose.
func TestBoards(t *testing.T) {
	uids := map[string]string{}
	for _, b := range boardtest.Read(t, "dashboards") {
		t.Run(b.File, func(t *testing.T) {
			if other, taken := uids[b.UID]; taken || b.UID == "" || b.Title == "" || b.Description == "" {
				t.Errorf("uid %q (of %q too), title %q, description %q", b.UID, other, b.Title, b.Description)
			}
			uids[b.UID] = b.File
			variables := checkVariables(t, b)
			checkPanels(t, b, variables)
		})
	}
}

// checkVariables gives the variables' names: each has a label, and asks only
// what those before it and the reader's choice of a source can answer.
func checkVariables(t *testing.T, b *boardtest.Board) (names []string) {
	for _, v := range b.Templating.List {
		if v.Name == "" || v.Label == "" || slices.Contains(names, v.Name) {
			t.Errorf("variable %q: label %q; names must differ", v.Name, v.Label)
		}
		if v.Type != "datasource" && v.Description == "" {
			t.Errorf("variable %s has no description", v.Name)
		}
		if v.Type == "query" {
			q := v.Target()
			checkTarget(t, "variable "+v.Name, &q, names)
		}
		names = append(names, v.Name)
	}
	return names
}

func checkPanels(t *testing.T, b *boardtest.Board, variables []string) {
	ids := map[int]bool{}
	for i, p := range b.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %d %q: ids and titles must be there, and ids differ", p.ID, p.Title)
		}
		ids[p.ID] = true
		for _, other := range b.Panels[:i] {
			if overlap(&p, &other) {
				t.Errorf("%q lies on %q", p.Title, other.Title)
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.FieldConfig.Defaults.Unit == "" || !strings.HasSuffix(p.Description, ".") || len(p.Targets) == 0 {
			t.Errorf("%q: unit %q, description %q, %d queries", p.Title, p.FieldConfig.Defaults.Unit, p.Description, len(p.Targets))
		}
		for _, q := range p.Targets {
			checkTarget(t, p.Title, &q, variables)
			if q.Datasource != p.Datasource {
				t.Errorf("%q asks %v and is said to ask %v", p.Title, q.Datasource, p.Datasource)
			}
		}
		requireKnown(t, p.Title, p.Title+p.Description, variables)
	}
}

// TestEveryMetricIsShown: what docs/operating.md tells of is on the board of
// operations.
func TestEveryMetricIsShown(t *testing.T) {
	doc, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	board, err := os.ReadFile("dashboards/operations.json")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`(rollcall_[a-z]+(?:_[a-z]+)+)`").FindAllSubmatch(doc, -1)
	if len(names) < 40 {
		t.Errorf("the document names %d metrics", len(names))
	}
	for _, name := range names {
		if !regexp.MustCompile(`\b` + string(name[1]) + `(_bucket|_count)?\{`).Match(board) {
			t.Errorf("no panel shows %s", name[1])
		}
	}
}

func overlap(a, b *boardtest.Panel) bool {
	p, q := a.GridPos, b.GridPos
	return p.X < q.X+q.W && q.X < p.X+p.W && p.Y < q.Y+q.H && q.Y < p.Y+p.H || p.X+p.W > 24
}

func checkTarget(t *testing.T, whose string, q *boardtest.Target, variables []string) {
	t.Helper()
	source, isVariable := strings.CutPrefix(q.Datasource.UID, "${")
	if !isVariable || !slices.Contains(variables, strings.TrimSuffix(source, "}")) {
		t.Errorf("%s: the source %q is no variable of the board", whose, q.Datasource.UID)
	}
	text := map[string]string{boardtest.ClickHouse: q.SQL, boardtest.REST: q.URL, boardtest.Prometheus: q.Expr}[q.Datasource.Type]
	if text == "" {
		t.Errorf("%s asks nothing of %s", whose, q.Datasource.Type)
	}
	requireKnown(t, whose, text, variables)
}

func requireKnown(t *testing.T, whose, text string, variables []string) {
	t.Helper()
	for _, name := range boardtest.Names(text) {
		if !strings.HasPrefix(name, "__") && !slices.Contains(variables, name) {
			t.Errorf("%s uses $%s, which is no variable", whose, name)
		}
	}
}

// TestAddresses holds every address of the boards to the API's description.
func TestAddresses(t *testing.T) {
	doc, err := openapi3.NewLoader().LoadFromFile("../../schemas/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v := &boardtest.Values{Of: map[string][]string{
		"api": {"http://127.0.0.1:8080"}, "market": {"FR"}, "panel": {"demo"}, "month": {"2002-10"},
		"location": {"home+work"}, "credit": {"presence"}, "service": {"msn"},
	}}
	asked := 0
	for _, b := range boardtest.Read(t, "dashboards") {
		for whose, q := range targets(b) {
			if q.Datasource.Type == boardtest.REST {
				asked++
				if err := described(t, doc, v.Fill(q.URL)); err != nil {
					t.Errorf("%s: %s: %v", b.File, whose, err)
				}
			}
		}
	}
	if asked < 15 {
		t.Errorf("%d addresses were compared", asked)
	}
	if described(t, doc, "http://127.0.0.1:8080/v1/reports/ranking?market=FR&panel=demo&month=2002-10&location=nowhere") == nil {
		t.Error("a place that is none is taken")
	}
}

// targets gives all that a board asks, by what asks it.
func targets(b *boardtest.Board) map[string]boardtest.Target {
	all := map[string]boardtest.Target{}
	for _, v := range b.Templating.List {
		if v.Type == "query" {
			all["variable "+v.Name] = v.Target()
		}
	}
	for _, p := range b.Panels {
		for _, q := range p.Targets {
			all[p.Title+" "+q.RefID] = q
		}
	}
	return all
}

// described fails where the API's description has no such GET.
func described(t *testing.T, doc *openapi3.T, address string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	item := doc.Paths.Value(request.URL.Path)
	if item == nil || item.Get == nil {
		t.Errorf("%s is no route without parameters in its path", request.URL.Path)
		return nil
	}
	for name := range request.URL.Query() {
		if item.Get.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			t.Errorf("%s has no parameter %s", request.URL.Path, name)
		}
	}
	return openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{
		Request: request, QueryParams: request.URL.Query(),
		Route:   &routers.Route{Spec: doc, Path: request.URL.Path, PathItem: item, Method: http.MethodGet, Operation: item.Get},
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	})
}

// sources is Grafana's provisioning of data sources, as far as these need it.
type sources struct {
	APIVersion  int `yaml:"apiVersion"`
	Datasources []struct {
		Name, UID, Type, Access, URL string
		JSONData                     map[string]any    `yaml:"jsonData"`
		SecureJSONData               map[string]string `yaml:"secureJsonData"`
	}
}

// TestProvisioning: there is a source of each type that the boards ask, and no
// secret stands in the file.
func TestProvisioning(t *testing.T) {
	var s sources
	decode(t, "provisioning/datasources/rollcall.yaml", &s)
	var types []string
	for _, d := range s.Datasources {
		types = append(types, d.Type)
		for name, secret := range d.SecureJSONData {
			if !strings.HasPrefix(secret, "$__file{/run/secrets/") {
				t.Errorf("%s: %s stands in the file", d.Name, name)
			}
		}
	}
	slices.Sort(types)
	if want := []string{boardtest.ClickHouse, boardtest.Prometheus, boardtest.REST}; !slices.Equal(types, want) || s.APIVersion != 1 {
		t.Errorf("version %d, types %v, want %v", s.APIVersion, types, want)
	}
	var p struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Type, Folder    string
			DisableDeletion       bool `yaml:"disableDeletion"`
			AllowUIUpdates        bool `yaml:"allowUiUpdates"`
			UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
			Options               struct{ Path string }
		}
	}
	decode(t, "provisioning/dashboards/rollcall.yaml", &p)
	if len(p.Providers) != 1 || !filepath.IsAbs(p.Providers[0].Options.Path) || p.Providers[0].Type != "file" {
		t.Errorf("the boards are provided by %+v", p.Providers)
	}
}

// decode reads a file that may have nothing in it but what is known.
func decode(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}
