package release

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// licenceFile is the name of a file that must go wherever the code goes.
var licenceFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|notice|copyright)([.-].*)?$`)

// notices gives the licences of all parts, as they ask for where a binary is
// given away.
func (p *Plan) notices(ctx context.Context, platform Platform, parts []part) ([]byte, error) {
	folders, err := p.moduleFolders(ctx, platform)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	text.WriteString("Rollcall is under the Apache License 2.0. In it, or in its page, is what follows.\n")
	for _, one := range parts {
		folder := folders[one.name]
		if one.kind == "npm" {
			folder = filepath.Join(p.Source, "dashboards/web", modules, one.name)
		}
		found, err := licencesIn(folder)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", one.name, one.version, err)
		}
		if len(found) == 0 {
			found = []byte("Its source has no file with a licence; what it says of one is at https://" + one.name)
		}
		fmt.Fprintf(&text, "\n%s\n%s %s\n\n%s\n", strings.Repeat("=", 72), one.name, one.version, bytes.TrimSpace(found))
	}
	return text.Bytes(), nil
}

// moduleFolders says where the source of each module is on this machine: of
// those that the platform's binary has, since some are in one of them only.
func (p *Plan) moduleFolders(ctx context.Context, platform Platform) (map[string]string, error) {
	c := exec.CommandContext(ctx, "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}", "./cmd/rollcall")
	c.Dir = p.Source
	c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+platform.OS, "GOARCH="+platform.Arch)
	listed, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	folders := map[string]string{"std": strings.TrimSpace(string(root))}
	for _, line := range strings.Split(string(listed), "\n") {
		path, folder, _ := strings.Cut(line, "\t")
		folders[path] = folder
	}
	return folders, nil
}

// licencesIn gives the texts of a folder's licences, one after the other.
func licencesIn(folder string) ([]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return nil, err
		}
		texts = append(texts, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
	}
	return bytes.Join(texts, []byte("\n\n")), nil
}
