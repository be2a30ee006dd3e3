package panel_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rollcall"
	"rollcall/aggregate/panel"
)

// requireR gives Rscript's path where R has its survey package and MASS. Without, the
// test fails under ROLLCALL_ENGINES=require and is skipped otherwise.
func requireR(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("Rscript")
	missing := "Rscript is missing (Debian: r-base-core)"
	if err == nil {
		if exec.Command(path, "-e", "library(survey); library(MASS)").Run() == nil {
			return path
		}
		missing = "R's package survey, or MASS that it needs, is missing (Debian: r-cran-survey, r-cran-mass)"
	}
	if os.Getenv("ROLLCALL_ENGINES") == "require" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// R survey's calibrate(calfun = "raking") weighs panels drawn at random, with
// unequal base weights, a two-way margin and a partial one, beside us.
func TestLiveAgainstRSurvey(t *testing.T) {
	rscript := requireR(t)
	const panels = 8
	dir := t.TempDir()
	for k := range panels {
		d := draw(uint64(1000+k), 300+50*k)
		d.write(t, dir, k)
	}
	cmd := exec.Command(rscript, "testdata/live.R", dir, strconv.Itoa(panels))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Rscript: %v\n%s", err, stderr.String())
	}
	theirs := readLive(t, out)
	for k := range panels {
		d := draw(uint64(1000+k), 300+50*k)
		for name, want := range d.figures(t, k) {
			got, ok := theirs[fmt.Sprint(k, " ", name)]
			if !ok {
				t.Fatalf("R says nothing of %s of panel %d", name, k)
			}
			near(t, fmt.Sprint("panel ", k, ": ", name), want, got, 1e-6)
		}
	}
}

// live draws the variables of the comparison.
func (d drawn) live(k int) (users, rare, minutes panel.Variable) {
	users, minutes = d.variables(uint64(k), 0.4)
	rare, _ = d.variables(uint64(k)+100, 0.04)
	return users, rare, minutes
}

func (d drawn) write(t *testing.T, dir string, k int) {
	t.Helper()
	users, rare, minutes := d.live(k)
	n := len(d.roster.Panelists)
	u, r, m := dense(users, n), dense(rare, n), dense(minutes, n)
	var people, margins strings.Builder
	people.WriteString("base,sexage,region,work,users,rare,minutes\n")
	for i, p := range d.roster.Panelists {
		work := 0
		if p.Metered.Has(rollcall.Work) {
			work = 1
		}
		fmt.Fprintf(&people, "%.17g,%s*%s,%s,%d,%g,%g,%g\n", p.BaseWeight, p.Categories[0], p.Categories[1], p.Categories[2], work, u[i], r[i], m[i])
	}
	margins.WriteString("margin,category,population\n")
	for _, x := range d.population.Margins {
		fmt.Fprintf(&margins, "%s,%s,%.17g\n", strings.ReplaceAll(x.Name, "*", ""), x.Category, x.Population)
	}
	for name, text := range map[string]string{"-people.csv": people.String(), "-margins.csv": margins.String()} {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(k)+name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func readLive(t *testing.T, out []byte) map[string]float64 {
	t.Helper()
	figures := map[string]float64{}
	for scan := bufio.NewScanner(bytes.NewReader(out)); scan.Scan(); {
		fields := strings.Fields(scan.Text())
		x, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		figures[fields[0]+" "+fields[1]] = x
	}
	return figures
}

// figures computes by this package what live.R prints.
func (d drawn) figures(t *testing.T, k int) map[string]float64 {
	t.Helper()
	w := mustRake(t, d)
	users, rare, minutes := d.live(k)
	out := map[string]float64{}
	for i, x := range w.Final()[:5] {
		out["weight"+strconv.Itoa(i+1)] = x
	}
	for name, e := range map[string]panel.Estimate{"users": total(w, users), "rare": total(w, rare), "minutes": total(w, minutes),
		"ratio": ratio(w, minutes, users), "diff": diff(w, users, rare)} {
		out[name], out[name+"_se"] = e.Value, e.SE
	}
	in, n := w.Intervals(0.95), len(d.roster.Panelists)
	logit := in.Proportion(total(w, users).Scale(1/w.Universe()), users.Users(), n)
	beta := in.Proportion(total(w, rare).Scale(1/w.Universe()), rare.Users(), n)
	out["logit_low"], out["logit_high"], out["beta_low"], out["beta_high"] = logit.Low, logit.High, beta.Low, beta.High
	return out
}
