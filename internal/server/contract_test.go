package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"github.com/oapi-codegen/runtime"

	"rollcall/internal/test/engines"
)

// The module has what a made client imports for this test's sake.
const _ = runtime.ParamLocationQuery

const descriptionFile = "../../schemas/openapi.yaml"

// TestAnswersAreAsDescribed holds what every GET answers in JSON to its schema,
// and the columns of every report to the properties of its rows.
func TestAnswersAreAsDescribed(t *testing.T) {
	_, s := published(t)
	doc, err := openapi3.NewLoader().LoadFromFile(descriptionFile)
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for pattern, item := range doc.Paths.Map() {
		if item.Get == nil {
			continue
		}
		a := fetch(t, s, http.MethodGet, address(pattern))
		answer := item.Get.Responses.Value(strconv.Itoa(a.status))
		if answer == nil {
			t.Errorf("%s: %d is not described: %.200s", pattern, a.status, a.body)
			continue
		}
		media := answer.Value.Content.Get("application/json")
		if a.status != http.StatusOK || media == nil {
			continue
		}
		var value any
		if err := json.Unmarshal([]byte(a.body), &value); err != nil {
			t.Fatal(err)
		}
		if err := media.Schema.Value.VisitJSON(value); err != nil {
			t.Errorf("%s: %v", pattern, err)
		}
		if rows := media.Schema.Value.Properties["rows"]; strings.HasPrefix(pattern, "/v1/reports/") {
			requireColumns(t, pattern, value, rows.Value.Items.Value)
			compared++
		}
	}
	if compared < 11 {
		t.Errorf("%d reports were compared", compared)
	}
}

// requireColumns holds a table's columns to the properties of its rows.
func requireColumns(t *testing.T, pattern string, table any, row *openapi3.Schema) {
	t.Helper()
	var names []string
	for _, c := range table.(map[string]any)["columns"].([]any) {
		names = append(names, c.(map[string]any)["name"].(string))
	}
	for _, name := range names {
		if row.Properties[name] == nil {
			t.Errorf("%s: the column %s is not described", pattern, name)
		}
	}
	for _, name := range row.Required {
		if !slices.Contains(names, name) {
			t.Errorf("%s: there is no column %s", pattern, name)
		}
	}
}

// rightProgram asks for a ranking with a client that is made from the description.
const rightProgram = `package main

import (
	"context"
	"fmt"
	"os"

	"rollcall/internal/server/made"
)

func main() {
	client, err := made.NewClientWithResponses(os.Args[1])
	if err != nil {
		panic(err)
	}
	place, credit := made.RankingLocationHome, made.Presence
	answer, err := client.GetV1ReportsRankingWithResponse(context.Background(), &made.GetV1ReportsRankingParams{
		Market: "FR", Panel: "nn", Month: new("2003-01"), Location: &place, Credit: &credit,
	})
	if err != nil {
		panic(err)
	}
	for _, row := range answer.JSON200.Rows {
		if row.UniqueAudience.Status == made.MeasureStatusOk || row.UniqueAudience.Status == made.MeasureStatusBelow {
			fmt.Println(row.Service, row.Level)
		}
	}
}
`

// TestMadeClient compiles and runs a Go client that is made from the description,
// and programs with a wrong name in them, which must not compile.
func TestMadeClient(t *testing.T) {
	engines.Long(t, "compiles five programs")
	_, s := published(t)
	overlay := madeClient(t)
	asked := fetch(t, s, http.MethodGet, "/v1/reports/ranking?market=FR&panel=nn&month=2003-01&location=home")
	got := compile(t, overlay, rightProgram, s)
	if !strings.Contains(got, "any any\n") || strings.Count(got, "\n") < 2 || !strings.Contains(asked.body, strings.Fields(got)[0]) {
		t.Errorf("the program says %q", got)
	}
	for right, wrong := range map[string]string{
		"GetV1ReportsRankingWithResponse": "GetV1ReportsRankngWithResponse",
		"made.RankingLocationHome":        "made.RankingLocationHomework",
		"made.Presence":                   "made.Login",
		"made.MeasureStatusBelow":         "made.MeasureStatusSuppressed",
	} {
		if got := compile(t, overlay, strings.Replace(rightProgram, right, wrong, 1), s); !strings.Contains(got, "undefined") {
			t.Errorf("%s compiles: %s", wrong, got)
		}
	}
}

// madeClient makes the client, outside of the source.
func madeClient(t *testing.T) string {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile(descriptionFile)
	if err != nil {
		t.Fatal(err)
	}
	source, err := codegen.Generate(doc, codegen.Configuration{PackageName: "made", Generate: codegen.GenerateOptions{Client: true, Models: true}})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "made.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// compile runs a program with the made client, and gives what it or the compiler
// says.
func compile(t *testing.T, client, program string, s *httptest.Server) string {
	t.Helper()
	dir := t.TempDir()
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	main, overlay := filepath.Join(dir, "main.go"), filepath.Join(dir, "overlay.json")
	replaced, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(here, "made", "made.go"): client, filepath.Join(here, "asks", "main.go"): main,
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{main: []byte(program), overlay: replaced} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, _ := exec.CommandContext(t.Context(), "go", "run", "-overlay", overlay, "rollcall/internal/server/asks", s.URL).CombinedOutput()
	return string(out)
}
