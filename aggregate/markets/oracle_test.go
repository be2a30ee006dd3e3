package markets

import (
	"bufio"
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/internal/test/engines"
)

// TestAgainstRSurvey: R's survey has all markets in one design, where they are
// strata, and takes differences as contrasts of domains.
func TestAgainstRSurvey(t *testing.T) {
	engines.Require(t, engines.Survey)
	s, dir := newSite(t), t.TempDir()
	all := append(europe(), sample{of: of("JP", "nn", october), first: 30001, men: 40e6, women: 41e6, reach: 0.2, household: true, strata: 5, base: true}.draw(7, 300))
	for _, p := range all {
		s.publish(p)
	}
	writeFor(t, dir, all)
	cmd := exec.Command("Rscript", "testdata/markets.R", dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Rscript: %v\n%s", err, stderr.String())
	}
	theirs := read(t, out)
	ours := figures(s.ask(usual()))
	worst := 0.0
	for name, want := range theirs {
		got, ok := ours[name]
		off := math.Abs(got-want) / math.Abs(want)
		if !ok || !(off <= 1e-6) {
			t.Errorf("%s is %.12g, and in R %.12g", name, got, want)
		}
		worst = max(worst, off)
	}
	if len(theirs) != len(ours) || len(theirs) != 4*3+3*4 {
		t.Errorf("%d figures of ours, %d of R's", len(ours), len(theirs))
	}
	t.Logf("%d figures, largest relative difference %.2g", len(theirs), worst)
}

// figures names what R names.
func figures(t *rollcall.Table) map[string]float64 {
	out := map[string]float64{}
	for i, id := range order(t) {
		reach := measure(t, i, "reach")
		out[id+" reach"], out[id+" se"] = reach.Value, reach.SE
		if i > 0 {
			d, name := measure(t, i, "difference"), id+" less "+order(t)[i-1]
			out[name+" value"], out[name+" se"], out[name+" low"], out[name+" high"] = d.Value, d.SE, d.Low, d.High
		}
	}
	for _, m := range t.Meta.Markets {
		out[string(m.Market)+" df"] = float64(m.DF)
	}
	return out
}

func writeFor(t *testing.T, dir string, all []sample) {
	t.Helper()
	var people, margins strings.Builder
	people.WriteString("market,base,sex,household,stratum,active,used\n")
	margins.WriteString("market,margin,category,population\n")
	for _, p := range all {
		for _, m := range p.people {
			fmt.Fprintf(&people, "%s,%.17g,%s,%d,%d,%d,%d\n", p.of.Market, m.base, m.sex, m.household, m.stratum, number(m.active), number(m.uses))
		}
		fmt.Fprintf(&margins, "%s,sex,M,%.17g\n%s,sex,F,%.17g\n", p.of.Market, p.men, p.of.Market, p.women)
	}
	for name, text := range map[string]string{"people.csv": people.String(), "margins.csv": margins.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// read takes "name value" lines.
func read(t *testing.T, out []byte) map[string]float64 {
	t.Helper()
	theirs := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		at := strings.LastIndex(line, " ")
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			t.Fatalf("R says %q", line)
		}
		theirs[strings.TrimSpace(line[:at])] = value
	}
	return theirs
}
