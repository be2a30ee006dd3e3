package export

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rollcall"
)

// Month is what the folder of a published month is made of.
type Month struct {
	Publication rollcall.Publication
	Market      rollcall.Market
	Tables      []*rollcall.Table // of Questions, in their order
	Services    []rollcall.Service
	Locale      Locale
}

// Questions are the reports of a month's folder: the ranking at each place, and
// every other report at home or at work.
func Questions(of rollcall.PanelMonth, version int) []rollcall.Query {
	var all []rollcall.Query
	for _, place := range []rollcall.Place{rollcall.HomeWork, rollcall.AtHome, rollcall.AtWork} {
		all = append(all, rollcall.Query{Report: "ranking", Of: of, Version: version, Place: place})
	}
	for _, report := range []string{"trend", "duplication", "combinations", "incremental", "profile", "frequency", "curve", "loyalty", "quality", "consistency"} {
		all = append(all, rollcall.Query{Report: report, Of: of, Version: version})
	}
	return all
}

// Gather makes what a version's folder is made of. An error of a report names it.
func Gather(ctx context.Context, report func(context.Context, rollcall.Query) (*rollcall.Table, error), c *rollcall.Catalogue, p rollcall.Publication, l Locale) (*Month, error) {
	m := &Month{Publication: p, Services: c.Services, Locale: l}
	if i := slices.IndexFunc(c.Markets, func(k rollcall.Market) bool { return k.ID == p.Market }); i >= 0 {
		m.Market = c.Markets[i]
	}
	for _, q := range Questions(p.PanelMonth, p.Version) {
		table, err := report(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.Report, err)
		}
		m.Tables = append(m.Tables, table)
	}
	return m, nil
}

// Title says in a line what the folder is about.
func (m *Month) Title() string { return m.Locale.words().monthTitle(&m.Tables[0].Meta) }

// FolderName names the month's folder: rollcall_FR_nn_2002-10_v1.
func (m *Month) FolderName() string {
	p := &m.Publication
	return plainName(fmt.Sprintf("rollcall_%s_%s_%s_v%d", p.Market, p.Panel, p.Month, p.Version))
}

// Workbook writes all tables as one XLSX file.
func (m *Month) Workbook(w io.Writer) error {
	return (&workbook{tables: m.Tables, options: m.options(), made: m.Publication.Time}).write(w)
}

func (m *Month) options() Options { return Options{Locale: m.Locale, Services: m.Services} }

// SumsName is the file that has the SHA-256 of every other.
const SumsName = "SHA256SUMS"

// Zip writes the folder as an archive: the workbook; every table as CSV with its
// sidecar, as Parquet and as Arrow; a Data Package; the method and how to cite;
// and the hashes of all. The same version gives the same bytes.
func (m *Month) Zip(w io.Writer) error {
	files, err := m.files()
	if err != nil {
		return err
	}
	out := zip.NewWriter(w)
	for _, f := range files {
		header := &zip.FileHeader{Name: m.FolderName() + "/" + f.name, Method: zip.Deflate, Modified: m.Publication.Time.UTC()}
		header.SetMode(0o644)
		to, err := out.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := to.Write(f.content); err != nil {
			return err
		}
	}
	return out.Close()
}

// folderFile is one file of the folder.
type folderFile struct {
	name    string
	content []byte
}

func (f *folderFile) sum() string {
	sum := sha256.Sum256(f.content)
	return hex.EncodeToString(sum[:])
}

// files makes the folder's files, the sums last.
func (m *Month) files() ([]folderFile, error) {
	if len(m.Tables) == 0 {
		return nil, errors.New("a month's folder without tables")
	}
	var files []folderFile
	add := func(name string, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, folderFile{name, b.Bytes()})
		return nil
	}
	if err := add("workbook.xlsx", m.Workbook); err != nil {
		return nil, err
	}
	for _, t := range m.Tables {
		if err := m.addTable(t, add); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"method.md", m.method}, {"citation.txt", m.citation}, {"CITATION.cff", m.citationFile},
		{"datapackage.json", func(w io.Writer) error { return m.dataPackage(w, files) }},
		{SumsName, func(w io.Writer) error { return sums(w, files) }},
	} {
		if err := add(f.name, f.write); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// addTable adds a table in each form.
func (m *Month) addTable(t *rollcall.Table, add func(string, func(io.Writer) error) error) error {
	name := tableFile(&t.Meta)
	for _, form := range []Form{CSV, Parquet, Arrow} {
		if err := add(name+"."+string(form), func(w io.Writer) error { return Write(w, t, form, m.options()) }); err != nil {
			return err
		}
	}
	file := name + ".csv"
	return add(file+SidecarEnding, func(w io.Writer) error { return WriteSidecar(w, t, file, m.options()) })
}

// tableFile is a table's name in the folder: ranking, ranking-home.
func tableFile(m *rollcall.Meta) string {
	if m.Location == "" || m.Location == string(rollcall.HomeWork) {
		return plainName(m.Report)
	}
	return plainName(m.Report + "-" + m.Location)
}

// sums writes what `sha256sum --check` reads.
func sums(w io.Writer, files []folderFile) error {
	sorted := slices.SortedFunc(slices.Values(files), func(a, b folderFile) int { return strings.Compare(a.name, b.name) })
	for _, f := range sorted {
		if _, err := fmt.Fprintf(w, "%s  %s\n", f.sum(), f.name); err != nil {
			return err
		}
	}
	return nil
}
