package main

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

// snippet is a program of docs/api.md, and what the page says that it prints.
type snippet struct{ language, program, prints string }

// printing is a program's block with the block of what it prints.
var printing = regexp.MustCompile("(?ms)^```(sh|python|r|go)\n(.*?)^```\n\n```text\n(.*?)^```$")

// snippets are the programs of a text.
func snippets(text string) (all []snippet) {
	for _, found := range printing.FindAllStringSubmatch(text, -1) {
		all = append(all, snippet{found[1], found[2], found[3]})
	}
	return all
}

// TestSnippets runs every program of docs/api.md on three months of the
// demonstration, and holds what it prints to the page and to the API's answers.
func TestSnippets(t *testing.T) {
	data := filepath.Join(t.TempDir(), "demo")
	copyDemonstration(t, data)
	_, text, _ := strings.Cut(readFile(t, "docs/api.md"), "\n## First figures\n")
	open, keyed, ok := strings.Cut(text, "\n**With a key.**")
	if !ok {
		t.Fatal("docs/api.md begins otherwise")
	}
	p := spawn(t, "run", "--data", data, "--listen", "127.0.0.1:0")
	without := snippets(open)
	runAll(t, p, without, answers(t, p))
	p.stop()
	var goes []snippet
	for _, s := range without {
		if s.language == "go" { // the page says that it takes a key too
			goes = append(goes, s)
		}
	}
	tokens := filepath.Join(t.TempDir(), "tokens")
	t.Setenv("KEY", newKey(t, tokens))
	p = spawn(t, "run", "--data", data, "--listen", "127.0.0.1:0", "--tokens", tokens)
	want := keyedAnswers(t, p)
	for i := range goes { // what they print with a key is rounded, and not on the page
		goes[i].prints = want[len(want)-len(goes)+i]
	}
	runAll(t, p, append(snippets(keyed), goes...), want)
}

// newKey gives the key that the page's command makes.
func newKey(t *testing.T, tokens string) string {
	t.Helper()
	var out strings.Builder
	if err := run(t.Context(), []string{"token", "new", "--name", "notebook", "--role", "read", "--markets", "FR,WORLD", "--tokens", tokens}, nil, &out, &out); err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile(`rc_\S+`).FindString(out.String())
}

// runAll runs programs against a process, each beside what the API answers.
func runAll(t *testing.T, p *child, all []snippet, want []string) {
	t.Helper()
	if len(all) != len(want) {
		t.Fatalf("docs/api.md has %d programs, and %d are known here", len(all), len(want))
	}
	for i, s := range all {
		t.Run(fmt.Sprintf("%d %s", i, s.language), func(t *testing.T) {
			got := s.run(t, p.addr)
			if got != want[i] {
				t.Errorf("prints\n%s, the API says\n%s", got, want[i])
			}
			if got != s.prints {
				t.Errorf("prints\n%s, the page says\n%s", got, s.prints)
			}
		})
	}
}

// run gives what the program prints where the server listens at addr.
func (s snippet) run(t *testing.T, addr string) string {
	t.Helper()
	program := strings.ReplaceAll(s.program, "127.0.0.1:8080", addr)
	if program == s.program {
		t.Error("it asks no server of the demonstration")
	}
	switch s.language {
	case "sh":
		engines.Require(t, engines.Curl)
		return command(t, "sh", "-e", "-c", program)
	case "python":
		return string(engines.Python(t, []byte(program), "-"))
	case "r":
		engines.Require(t, engines.R)
		return command(t, "Rscript", "-e", program)
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	return command(t, "go", "run", file)
}

func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	var failed strings.Builder
	c := exec.CommandContext(t.Context(), name, args...)
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, failed.String())
	}
	return string(out)
}

// table asks a process for a report or the census, with the key in KEY.
func table(t *testing.T, p *child, path string) *rollcall.Table {
	t.Helper()
	out := new(rollcall.Table)
	askAnswer(t, p, path, http.StatusOK, out)
	return out
}

func askAnswer(t *testing.T, p *child, path string, status int, answer any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key := os.Getenv("KEY"); key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := p.api.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != status {
		t.Fatalf("%s: %s", path, response.Status)
	}
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

const october = "?market=FR&panel=demo&month=2002-10"

// answers are what the programs that need no key print, by the API's JSON.
func answers(t *testing.T, p *child) []string {
	t.Helper()
	french := table(t, p, "/v1/reports/ranking"+october+"&service=msn")
	reach := strings.Replace(fmt.Sprintf("%.4g", measure(french, 0, "reach").Value), ".", ",", 1)
	return []string{
		ranked(table(t, p, "/v1/reports/ranking"+october)), grown(table(t, p, "/v1/reports/trend?market=FR&panel=demo&month=2002-11&service=msn")),
		busiest(table(t, p, "/v1/census?market=WORLD&service=msn&by=day&from=2002-10-01&to=2002-10-31")),
		shownOnly(table(t, p, "/v1/reports/ranking"+october+"&location=work")), fmt.Sprintf("%v: %s %%\n", french.Cell(0, "service"), reach),
		accountsOf(table(t, p, octobersCensus)), refusals(t, p),
	}
}

const octobersCensus = "/v1/census?market=WORLD&from=2002-10-01&to=2002-10-31"

// keyedAnswers are what the programs print that are run with a key.
func keyedAnswers(t *testing.T, p *child) []string {
	t.Helper()
	var panels struct {
		Rows []struct{ Panel, First string }
	}
	askAnswer(t, p, "/v1/panels", http.StatusOK, &panels)
	led := fmt.Sprintf("%v led\n", table(t, p, "/v1/reports/ranking"+october).Cell(0, "service"))
	return []string{panels.Rows[0].Panel + ", from " + panels.Rows[0].First + "\n", led, led, accountsOf(table(t, p, octobersCensus))}
}

// interval writes a measure in thousands, as the programs do.
func interval(m rollcall.Measure) string {
	return fmt.Sprintf("%.0f [%.0f, %.0f]", m.Value/1000, m.Low/1000, m.High/1000)
}

func ranked(ranking *rollcall.Table) (lines string) {
	for i := range ranking.Rows {
		m := measure(ranking, i, "unique_audience")
		switch {
		case ranking.Cell(i, "level") != "service":
		case m.Status.Withheld():
			lines += fmt.Sprintf("%v withheld: %s\n", ranking.Cell(i, "service"), m.Status)
		default:
			lines += fmt.Sprintf("%v %s, rank %v to %v\n", ranking.Cell(i, "service"), interval(m), ranking.Cell(i, "rank_low"), ranking.Cell(i, "rank_high"))
		}
	}
	return lines
}

func shownOnly(ranking *rollcall.Table) (lines string) {
	for i := range ranking.Rows {
		if m := measure(ranking, i, "unique_audience"); ranking.Cell(i, "level") == "service" && !m.Status.Withheld() {
			lines += fmt.Sprintf("%v %s\n", ranking.Cell(i, "service"), interval(m))
		}
	}
	return lines
}

func grown(trend *rollcall.Table) (lines string) {
	for i := range trend.Rows {
		lines += fmt.Sprintf("%v: %s", trend.Cell(i, "month"), interval(measure(trend, i, "unique_audience")))
		if change, ok := trend.Cell(i, "change").(rollcall.Measure); ok && !change.Status.Withheld() {
			lines += ", change " + interval(change)
		}
		lines += "\n"
	}
	return lines
}

func busiest(days *rollcall.Table) string {
	most := 0
	for i := range days.Rows {
		if measure(days, i, "unique_accounts").Value > measure(days, most, "unique_accounts").Value {
			most = i
		}
	}
	m := measure(days, most, "unique_accounts")
	return fmt.Sprintf("%v: %.0f accounts, standard error %.0f\n", days.Cell(most, "day"), m.Value, m.SE)
}

func accountsOf(census *rollcall.Table) (lines string) {
	for i := range census.Rows {
		m := measure(census, i, "unique_accounts")
		if m.Status.Withheld() {
			lines += fmt.Sprintf("%v withheld: %s\n", census.Cell(i, "service"), m.Status)
			continue
		}
		lines += fmt.Sprintf("%v %.0f", census.Cell(i, "service"), m.Value)
		if !math.IsNaN(m.SE) {
			lines += fmt.Sprintf(", standard error %.0f", m.SE)
		}
		lines += "\n"
	}
	return lines
}

func refusals(t *testing.T, p *child) string {
	t.Helper()
	var problem struct {
		Status int
		Code   string
		Errors []struct{ Location, Message string }
	}
	askAnswer(t, p, "/v1/reports/ranking?market=FR&panel=demo&month=2002-13&location=hoem", http.StatusUnprocessableEntity, &problem)
	lines := fmt.Sprintln(problem.Status, problem.Code)
	for _, fault := range problem.Errors {
		lines += fault.Location + ": " + fault.Message + "\n"
	}
	return lines
}
