// Package signs is the table of how today's services are known: by the name of
// a server, by an application protocol of TLS, by the first bytes of a
// connection, by an address. Its rows are data, in schemas/signatures; a
// deployment may add its own.
//
// A row is service,sign,value,source,date. The longest name wins. What several
// services share, or what is given to the service "none", is nobody's.
package signs

import (
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall"
)

// Kind is a kind of sign.
type Kind string

// The kinds. The value of a Name is a domain, that of Bytes (a TCP client's
// first) and of a Datagram (a UDP client's first) hexadecimal digits, a point for
// any digit, perhaps "@" and ports; that of an Address a prefix.
const (
	Name     Kind = "name"
	ALPN     Kind = "alpn"
	Bytes    Kind = "bytes"
	Datagram Kind = "datagram"
	Address  Kind = "address"
)

// None is the service of a row that takes a sign from all.
const None = rollcall.NoService

// Row is a row of the table.
type Row struct {
	Service rollcall.ServiceID
	Sign    Kind
	Value   string
	Source  string
	Date    time.Time
}

// Table finds services by signs. It is immutable, but for Add.
type Table struct {
	names     map[string]rollcall.ServiceID
	alpn      map[string]rollcall.ServiceID
	bytes     []pattern
	datagrams []pattern
	addresses map[netip.Prefix]rollcall.ServiceID
	lengths   [2][]int // of the prefixes of IPv4 and IPv6, longest first
}

// pattern is the beginning of a stream.
type pattern struct {
	service rollcall.ServiceID
	value   []byte
	mask    []byte
	ports   []uint16 // of the server; none: any
}

// columns is the table's first line.
var columns = []string{"service", "sign", "value", "source", "date"}

// Parse reads rows. The error names the line.
func Parse(r io.Reader) ([]Row, error) {
	lines := csv.NewReader(r)
	lines.FieldsPerRecord = len(columns)
	all, err := lines.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("signatures: %v: %w", err, rollcall.ErrInvalid)
	}
	if len(all) == 0 || !slices.Equal(all[0], columns) {
		return nil, fmt.Errorf("signatures: line 1 is not %s: %w", strings.Join(columns, ","), rollcall.ErrInvalid)
	}
	rows := make([]Row, 0, len(all))
	for i, f := range all[1:] {
		date, err := time.Parse(time.DateOnly, f[4])
		row := Row{Service: rollcall.ServiceID(f[0]), Sign: Kind(f[1]), Value: f[2], Source: f[3], Date: date}
		if err == nil {
			err = row.check()
		}
		if err != nil {
			return nil, fmt.Errorf("signatures: line %d: %v: %w", i+2, err, rollcall.ErrInvalid)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// check says what is wrong with a row, if anything.
func (r *Row) check() error {
	if err := rollcall.CheckID("service", string(r.Service)); err != nil {
		return err
	}
	if r.Value == "" || r.Source == "" {
		return fmt.Errorf("a row has a value and a source")
	}
	return new(Table).add(*r)
}

// New makes a table of rows.
func New(rows []Row) (*Table, error) {
	t := new(Table)
	for _, r := range rows {
		if err := t.add(r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// add takes a row; a value that is there already, of another service, becomes
// nobody's.
func (t *Table) add(r Row) error {
	switch r.Sign {
	case Name:
		return put(&t.names, strings.ToLower(strings.TrimPrefix(r.Value, ".")), r.Service)
	case ALPN:
		return put(&t.alpn, r.Value, r.Service)
	case Bytes, Datagram:
		p, err := parsePattern(r.Value)
		p.service = r.Service
		if r.Sign == Bytes {
			t.bytes = append(t.bytes, p)
		} else {
			t.datagrams = append(t.datagrams, p)
		}
		return err
	case Address:
		prefix, err := netip.ParsePrefix(r.Value)
		if err != nil {
			return err
		}
		return t.address(prefix.Masked(), r.Service)
	}
	return fmt.Errorf("sign %q is none of name, alpn, bytes, datagram, address", r.Sign)
}

func put[K comparable](m *map[K]rollcall.ServiceID, key K, service rollcall.ServiceID) error {
	if *m == nil {
		*m = make(map[K]rollcall.ServiceID)
	}
	if other, ok := (*m)[key]; ok && other != service {
		service = None
	}
	(*m)[key] = service
	return nil
}

func (t *Table) address(prefix netip.Prefix, service rollcall.ServiceID) error {
	family := 0
	if prefix.Addr().Is6() {
		family = 1
	}
	if !slices.Contains(t.lengths[family], prefix.Bits()) {
		t.lengths[family] = append(t.lengths[family], prefix.Bits())
		slices.SortFunc(t.lengths[family], func(a, b int) int { return b - a })
	}
	return put(&t.addresses, prefix, service)
}

// parsePattern reads "4544 0001"-like digits without spaces, "." for any digit,
// and after "@" the ports, "+" between them.
func parsePattern(value string) (pattern, error) {
	digits, ports, _ := strings.Cut(value, "@")
	var p pattern
	for port := range strings.SplitSeq(ports, "+") {
		if ports == "" {
			break
		}
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return p, fmt.Errorf("port %q is none", port)
		}
		p.ports = append(p.ports, uint16(n))
	}
	if len(digits) < 4 {
		return p, fmt.Errorf("bytes %q are fewer than two", digits)
	}
	var err error
	if p.value, err = hex.DecodeString(strings.ReplaceAll(digits, ".", "0")); err != nil {
		return p, fmt.Errorf("bytes %q are no hexadecimal digits", digits)
	}
	mask := strings.Map(func(r rune) rune {
		if r == '.' {
			return '0'
		}
		return 'f'
	}, digits)
	p.mask, err = hex.DecodeString(mask)
	return p, err
}

// known is what a lookup says: a service, or none.
func known(s rollcall.ServiceID, ok bool) rollcall.ServiceID {
	if !ok || s == None {
		return ""
	}
	return s
}

// ByName gives the service of a server's name, by its longest suffix in the
// table; empty where there is none.
func (t *Table) ByName(name string) rollcall.ServiceID {
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	for {
		if s, ok := t.names[name]; ok {
			return known(s, ok)
		}
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			return ""
		}
		name = rest
	}
}

// ByALPN gives the service of an application protocol.
func (t *Table) ByALPN(protocol string) rollcall.ServiceID {
	s, ok := t.alpn[protocol]
	return known(s, ok)
}

// ByBytes gives the service of a client's first bytes to a port; more says that
// further bytes may decide.
func (t *Table) ByBytes(head []byte, port uint16) (service rollcall.ServiceID, more bool) {
	return match(t.bytes, head, port)
}

// ByDatagram gives the service of a client's first datagram to a port.
func (t *Table) ByDatagram(b []byte, port uint16) rollcall.ServiceID {
	service, _ := match(t.datagrams, b, port)
	return service
}

func match(patterns []pattern, head []byte, port uint16) (service rollcall.ServiceID, more bool) {
	for _, p := range patterns {
		if len(p.ports) > 0 && !slices.Contains(p.ports, port) || !p.begins(head) {
			continue
		}
		if len(head) >= len(p.value) {
			return known(p.service, true), false
		}
		more = true
	}
	return "", more
}

func (p *pattern) begins(head []byte) bool {
	for i := range min(len(head), len(p.value)) {
		if head[i]&p.mask[i] != p.value[i] {
			return false
		}
	}
	return true
}

// ByAddress gives the service of an address, by its longest prefix.
func (t *Table) ByAddress(a netip.Addr) rollcall.ServiceID {
	family := 0
	if a.Is6() {
		family = 1
	}
	for _, bits := range t.lengths[family] {
		prefix, err := a.Prefix(bits)
		if err != nil {
			continue
		}
		if s, ok := t.addresses[prefix]; ok {
			return known(s, ok)
		}
	}
	return ""
}
