// Package boardtest reads the Grafana dashboards of a folder for tests, and
// fills in what Grafana would: variables, and the macros of its sources.
package boardtest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// The types of the sources that the boards ask.
const (
	ClickHouse = "grafana-clickhouse-datasource"
	REST       = "yesoreyeram-infinity-datasource"
	Prometheus = "prometheus"
)

// Source says whom a panel, a query or a variable asks.
type Source struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// Board is one dashboard, as far as a test looks at it.
type Board struct {
	File        string `json:"-"`
	UID         string `json:"uid"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Templating  struct {
		List []Variable `json:"list"`
	} `json:"templating"`
	Panels []Panel `json:"panels"`
}

// Variable is what a reader of the board may choose.
type Variable struct {
	Name        string          `json:"name"`
	Type        string          `json:"type"`
	Label       string          `json:"label"`
	Description string          `json:"description"`
	Datasource  Source          `json:"datasource"`
	Query       json.RawMessage `json:"query"`
	Multi       bool            `json:"multi"`
}

// Text is the query of a variable that asks nobody.
func (v *Variable) Text() (text string) {
	_ = json.Unmarshal(v.Query, &text) // an object is no text
	return text
}

// Target is the query of a variable that asks a source.
func (v *Variable) Target() (q Target) {
	var wrapped struct {
		Target
		Infinity *Target `json:"infinityQuery"`
		PromQL   string  `json:"query"`
	}
	if json.Unmarshal(v.Query, &wrapped) != nil {
		return q
	}
	if q = wrapped.Target; wrapped.Infinity != nil {
		q = *wrapped.Infinity
	}
	if q.Datasource = v.Datasource; v.Datasource.Type == Prometheus {
		q.Expr = wrapped.PromQL
	}
	return q
}

// Panel is one figure; a row's heading is one of type "row".
type Panel struct {
	ID          int    `json:"id"`
	Type        string `json:"type"`
	Title       string `json:"title"`
	Description string `json:"description"`
	Datasource  Source `json:"datasource"`
	GridPos     struct{ X, Y, W, H int }
	FieldConfig struct {
		Defaults struct {
			Unit string `json:"unit"`
		} `json:"defaults"`
	} `json:"fieldConfig"`
	Targets []Target `json:"targets"`
}

// Target is one query: SQL, an address of the REST API, or PromQL.
type Target struct {
	RefID      string   `json:"refId"`
	Datasource Source   `json:"datasource"`
	SQL        string   `json:"rawSql"`
	URL        string   `json:"url"`
	Root       string   `json:"root_selector"`
	Columns    []Column `json:"columns"`
	Expr       string   `json:"expr"`
	Legend     string   `json:"legendFormat"`
}

// Column is what a query over REST takes of each row.
type Column struct {
	Selector string `json:"selector"`
	Text     string `json:"text"`
	Type     string `json:"type"`
	Time     string `json:"timestampFormat"`
}

// Read reads every board of a folder.
func Read(t testing.TB, folder string) []*Board {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d boards, %v", folder, len(files), err)
	}
	var boards []*Board
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b := &Board{File: filepath.Base(file)}
		if err := json.Unmarshal(text, b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		boards = append(boards, b)
	}
	return boards
}

// Values are what the variables stand for, and the period that is looked at.
type Values struct {
	From, To time.Time
	Of       map[string][]string
}

var (
	variable   = regexp.MustCompile(`\$\{(\w+)(?::(\w+))?\}|\$([a-z]\w*)`)
	dateFilter = regexp.MustCompile(`\$__dateFilter\((\w+)\)`)
)

// Fill puts the values into a text of the board's, in the form that is asked
// for. What has no value stays, so that the source refuses it.
func (v *Values) Fill(text string) string {
	text = dateFilter.ReplaceAllString(text, fmt.Sprintf("$1 >= toDate('%s') AND $1 <= toDate('%s')", v.From.Format(time.DateOnly), v.To.Format(time.DateOnly)))
	return variable.ReplaceAllStringFunc(text, func(found string) string {
		parts := variable.FindStringSubmatch(found)
		values, ok := v.Of[parts[1]+parts[3]]
		if !ok {
			return found
		}
		return format(values, parts[2])
	})
}

// Names gives the variables that a text has.
func Names(text string) (names []string) {
	for _, parts := range variable.FindAllStringSubmatch(text, -1) {
		names = append(names, parts[1]+parts[3])
	}
	return names
}

// format writes values as Grafana does in the form of the name.
func format(values []string, form string) string {
	switch form {
	case "singlequote":
		return "'" + strings.Join(values, "','") + "'"
	case "percentencode":
		return strings.ReplaceAll(url.QueryEscape(strings.Join(values, ",")), "+", "%20")
	}
	return strings.Join(values, ",")
}
