package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// counts is a server that counts what it is asked for, and answers with a status.
type counts struct {
	mu     sync.Mutex
	asked  map[string]int
	status func(path string) int
}

func (c *counts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.asked[r.URL.Path]++
	c.mu.Unlock()
	w.Header().Set("Content-Length", "5")
	w.WriteHeader(c.status(r.URL.Path))
	_, _ = io.WriteString(w, "hello")
}

func serve(t *testing.T, status func(path string) int) (c *counts, url string) {
	t.Helper()
	c = &counts{asked: map[string]int{}, status: status}
	s := httptest.NewServer(c)
	t.Cleanup(s.Close)
	return c, s.URL
}

func fine(string) int { return http.StatusOK }

// TestTable: the table has a line of each question for each number of connections,
// and the server was asked all of it.
func TestTable(t *testing.T) {
	c, url := serve(t, fine)
	var out strings.Builder
	if err := run(t.Context(), []string{"--url", url, "--each", "20ms", "--connections", "1,3", "--at-once", "50"}, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1+2+2*len(questions())+1 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
	for _, q := range questions() {
		path, _, _ := strings.Cut(q.path, "?")
		if c.asked[path] == 0 {
			t.Errorf("%s was not asked", path)
		}
	}
}

// TestRefused: an answer to ask again later is none of the answers counted, a
// wrong one ends the run, and of those at once none may be refused.
func TestRefused(t *testing.T) {
	_, busy := serve(t, func(path string) int {
		if strings.HasPrefix(path, "/v1/census") {
			return http.StatusServiceUnavailable
		}
		return http.StatusOK
	})
	m := &meter{address: strings.TrimPrefix(busy, "http://"), each: 20 * time.Millisecond}
	r, err := m.measure(t.Context(), 2, "/v1/census")
	if err != nil || r.refused == 0 || len(r.times) != 0 {
		t.Errorf("%d answers, %d refused, %v", len(r.times), r.refused, err)
	}
	for status, want := range map[int]string{http.StatusServiceUnavailable: "7 were refused", http.StatusNotFound: "answered 404"} {
		_, url := serve(t, func(string) int { return status })
		m.address = strings.TrimPrefix(url, "http://")
		if err := atOnce(t.Context(), m, 7, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestTableOfFailure: a run that fails prints what it measured all the same.
func TestTableOfFailure(t *testing.T) {
	_, url := serve(t, func(string) int { return http.StatusServiceUnavailable })
	var out strings.Builder
	err := run(t.Context(), []string{"--url", url, "--each", "20ms", "--connections", "1", "--at-once", "7"}, &out, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "7 were refused") {
		t.Error(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 1+2+len(questions())+1 {
		t.Errorf("%d lines:\n%s", lines, out.String())
	}
}

// TestAtOnce: every connection asks before the first is answered.
func TestAtOnce(t *testing.T) {
	const n = 40
	var asking sync.WaitGroup
	asking.Add(n)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asking.Done()
		asking.Wait()
	}))
	t.Cleanup(s.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	m := &meter{address: strings.TrimPrefix(s.URL, "http://")}
	if r, err := m.atOnce(ctx, n, "/"); err != nil || len(r.times) != n {
		t.Errorf("%d answers, %v", len(r.times), err)
	}
}

// TestQuantile: of a hundred times in any order the half is at the 51st.
func TestQuantile(t *testing.T) {
	var r result
	for i := 100; i > 0; i-- {
		r.times = append(r.times, time.Duration(i)*time.Millisecond)
	}
	if half, most := r.quantile(0.5), r.quantile(0.99); half != 51 || most != 100 {
		t.Errorf("p50 %v, p99 %v", half, most)
	}
}
