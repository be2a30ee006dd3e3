package main

import (
	"io"
	"math"
	"strings"
	"testing"
)

func TestTrialIsNearEveryN(t *testing.T) {
	c := trial(1, 1)
	for ki, k := range precisions {
		for ni, got := range c[ki] {
			n, how := point(ni)
			if six := 6 * 1.0366 / math.Sqrt(float64(int(1)<<k)); math.Abs(got/n-1) > six {
				t.Errorf("K %d, %.0f %s: counted as %.0f", k, n, how, got)
			}
		}
	}
	if again := trial(1, 1); again != c {
		t.Error("the same seed gives other estimates")
	}
}

func TestReportFailsOutOfBounds(t *testing.T) {
	var right counts
	for ki := range right {
		for ni := range right[ki] {
			right[ki][ni], _ = point(ni)
		}
	}
	if err := report(io.Discard, []counts{right}); err != nil {
		t.Errorf("exact estimates fail: %v", err)
	}
	biased := right
	biased[1][3] *= 1.0011
	if err := report(io.Discard, []counts{biased}); err == nil || !strings.Contains(err.Error(), "K 14, n 10000") {
		t.Errorf("a bias of 0.11 %% gives error %v", err)
	}
	spread := []counts{right, right}
	spread[0][0][9] *= 1.05
	spread[1][0][9] *= 0.95
	if err := report(io.Discard, spread); err == nil {
		t.Error("an RMSE of 5 % passes")
	}
}

func TestRunRefusesNoTrials(t *testing.T) {
	if err := run([]string{"-trials", "0"}, io.Discard); err == nil {
		t.Error("0 trials pass")
	}
}
