package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"rollcall"
)

// wideTable has a column that is there at once and a last one that a test gives.
type wideTable struct {
	askedServer
	last func() []float64
}

const wideRows = 10_000

func (w *wideTable) Weights(context.Context, rollcall.PanelMonth, int, rollcall.Month, int, uint64) (*rollcall.Wide, error) {
	first := func() []float64 {
		numbers := make([]float64, wideRows)
		for i := range numbers {
			numbers[i] = float64(i * i)
		}
		return numbers
	}
	return &rollcall.Wide{Rows: wideRows, Columns: []rollcall.WideColumn{{Name: "weight", Numbers: first}, {Name: "rw1", Numbers: w.last}}}, nil
}

func (w *wideTable) Uses(ctx context.Context, of rollcall.PanelMonth, version int, first rollcall.Month) (*rollcall.Wide, error) {
	return w.Weights(ctx, of, version, first, 0, 0)
}

func (w *wideTable) handler() http.Handler {
	s := w.server()
	s.Replicates = w
	return s.Handler()
}

const (
	replicatesPath = "/v1/publications/FR/nn/2002-10/1/replicates.parquet"
	usesPath       = "/v1/publications/FR/nn/2002-10/1/uses.parquet"
)

// TestWideIsWrittenAsItIsMade: the first column has come before the last is made.
// What fails on the way breaks the answer off.
func TestWideIsWrittenAsItIsMade(t *testing.T) {
	for _, path := range []string{replicatesPath, usesPath} {
		come := make(chan struct{})
		broken := &wideTable{last: func() []float64 {
			<-come
			return make([]float64, wideRows-1)
		}}
		s := httptest.NewServer(broken.handler())
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		a, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(a.Body, make([]byte, wideRows)); err != nil || a.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v", path, a.Status, err)
		}
		close(come)
		if _, err := io.Copy(io.Discard, a.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: the broken answer ends with %v", path, err)
		}
		_ = a.Body.Close()
		s.Close()
	}
}

// gone is an answer whose client has gone.
type gone struct{ *httptest.ResponseRecorder }

func (gone) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// TestWideOfAClientThatHasGone: nothing is made for it any more.
func TestWideOfAClientThatHasGone(t *testing.T) {
	made := false
	h := (&wideTable{last: func() []float64 { made = true; return make([]float64, wideRows) }}).handler()
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler {
				t.Error("the answer is not broken off")
			}
		}()
		h.ServeHTTP(gone{httptest.NewRecorder()}, httptest.NewRequestWithContext(t.Context(), http.MethodGet, replicatesPath, http.NoBody))
	}()
	if made {
		t.Error("the last column was made")
	}
}

// TestFewWideTablesAtATime: so many are made at a time, to their ends, however
// many ask; a report has its place meanwhile.
func TestFewWideTablesAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, done := make(chan struct{}, 20), make(chan struct{})
		w := &wideTable{last: func() []float64 {
			begun <- struct{}{}
			<-done
			return make([]float64, wideRows)
		}}
		h := w.handler()
		ended := make(chan int, 20)
		for i := range 20 {
			go func() {
				path := []string{replicatesPath, usesPath}[i%2]
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
				r.RemoteAddr = strings.Repeat("a", i+1) + ":1" // another sender for each
				a := httptest.NewRecorder()
				h.ServeHTTP(a, r)
				ended <- a.Code
			}()
		}
		synctest.Wait()
		if len(begun) != mostWide {
			t.Errorf("%d are made at a time, want %d", len(begun), mostWide)
		}
		report := httptest.NewRecorder()
		h.ServeHTTP(report, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/reports/ranking?market=FR&panel=nn&month=2002-10", http.NoBody))
		if report.Code != http.StatusOK {
			t.Errorf("a report meanwhile: %d", report.Code)
		}
		close(done)
		for range 20 {
			if code := <-ended; code != http.StatusOK {
				t.Errorf("one ended with %d", code)
			}
		}
	})
}
