//go:build linux

package fold

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is one that a contender works in.
type process int

// cpu gives the processor time that all of its threads have used, by the
// kernel's clock of another process (clock_getcpuclockid).
func (p process) cpu() (time.Duration, error) {
	const scheduled = 2 // CPUCLOCK_SCHED
	var t unix.Timespec
	if err := unix.ClockGettime(^int32(p)<<3|scheduled, &t); err != nil {
		return 0, fmt.Errorf("processor time of %d: %w", p, err)
	}
	return time.Duration(t.Nano()), nil
}

// forget has peak begin again, and gives the bytes that are resident now.
func (p process) forget() (int, error) {
	const peak = "5" // proc(5), clear_refs
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p), []byte(peak), 0); err != nil {
		return 0, err
	}
	return p.status("VmRSS:")
}

// peak gives the most bytes that have been resident since forget.
func (p process) peak() (int, error) { return p.status("VmHWM:") }

func (p process) status(field string) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field); ok {
			kb, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")))
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no %s", p, field)
}
