package ingest

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// Numbers says where the lines of a body stand in the file that they were cut out
// of, or whose rows they were made of. None: the body's own numbers.
type Numbers struct{ runs []run }

// run is lines of a body that follow one another in the file too.
type run struct{ from, at int } // the first one's number in the body, and in the file

// ParseNumbers reads the numbers that the body's lines have in the file, in the
// body's order: numbers, and runs of them, as 3-500,502,502,510-. What comes after
// the last line that is named follows it.
func ParseNumbers(text string) (n Numbers, err error) {
	if text == "" {
		return n, nil
	}
	next := 1
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRun := strings.Cut(part, "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && isRun && last != "" {
			to, err = strconv.Atoi(last)
		}
		if err != nil || from < 1 || to < from || to > lastLine {
			return Numbers{}, errNumbers
		}
		n.runs = append(n.runs, run{next, from})
		next += to - from + 1
	}
	return n, nil
}

// lastLine is the greatest number of a line, or byte: those of more than 32 KiB of
// runs add up to less than an int holds.
const lastLine = 1 << 48

var errNumbers = errors.New("is not a list of lines such as 3-500,502,510-")

// of gives the number in the file of a body's line.
func (n Numbers) of(line int) int {
	at, found := slices.BinarySearchFunc(n.runs, line, func(r run, line int) int { return cmp.Compare(r.from, line) })
	if !found {
		at--
	}
	if at < 0 {
		return line
	}
	return n.runs[at].at + line - n.runs[at].from
}

// Numbering writes what ParseNumbers reads. Its zero value is ready.
type Numbering struct {
	text  []byte
	first int
	last  int // the run that is not written yet; 0: there is none
}

// Add takes the number that the body's next line has in the file.
func (n *Numbering) Add(line int) {
	if n.last > 0 && line == n.last+1 {
		n.last = line
		return
	}
	n.end()
	n.first, n.last = line, line
}

// end writes the run.
func (n *Numbering) end() {
	if n.last == 0 {
		return
	}
	if len(n.text) > 0 {
		n.text = append(n.text, ',')
	}
	n.text = strconv.AppendInt(n.text, int64(n.first), 10)
	if n.last > n.first {
		n.text = strconv.AppendInt(append(n.text, '-'), int64(n.last), 10)
	}
}

// Len is about how long the text is so far.
func (n *Numbering) Len() int { return len(n.text) }

// Take gives the text, and begins anew.
func (n *Numbering) Take() string {
	n.end()
	text := string(n.text)
	*n = Numbering{text: n.text[:0]}
	return text
}
