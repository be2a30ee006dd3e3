package check_test

import (
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"rollcall/internal/test/boardtest"
)

// TestPromQL: what the operations board asks is PromQL, once Grafana has filled
// it in.
func TestPromQL(t *testing.T) {
	filled := strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$job", ".*", "$instance", ".*")
	language := parser.NewParser(parser.Options{})
	parsed := 0
	for _, b := range boardtest.Read(t, "../../dashboards/grafana/dashboards") {
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type != boardtest.Prometheus {
					continue
				}
				parsed++
				if _, err := language.ParseExpr(filled.Replace(q.Expr)); err != nil {
					t.Errorf("%s: %s: %v", p.Title, q.Expr, err)
				}
			}
		}
	}
	if parsed < 20 {
		t.Errorf("%d expressions were parsed", parsed)
	}
	if _, err := language.ParseExpr("sum(rate(x))"); err == nil {
		t.Error("the rate of no range is taken")
	}
}
