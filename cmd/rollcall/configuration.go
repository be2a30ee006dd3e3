package main

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"rollcall"
	"rollcall/internal/jsondepth"
)

// configurationPaths are read in this order; of a flag that both have, the
// first one's value counts.
func configurationPaths() []string { return []string{"rollcall.json", "/etc/rollcall/rollcall.json"} }

// configuration is a file of flags: a JSON object whose keys are names of flags,
// with "_" or "-". A flag on the command line goes before one in the
// environment, and that before the file's.
type configuration struct {
	path   string
	values map[string]any // by the flag's own name
}

// readConfiguration gives the files that are there, the last to be asked first.
func readConfiguration(paths []string) (all []kong.Resolver, err error) {
	for _, path := range paths {
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		c, err := parseConfiguration(path, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		all = append([]kong.Resolver{c}, all...) // kong takes the last one's
	}
	return all, nil
}

func parseConfiguration(path string, file io.Reader) (*configuration, error) {
	c := &configuration{path: path, values: map[string]any{}}
	d := json.NewDecoder(jsondepth.Reader(file))
	d.UseNumber()
	if begin, err := d.Token(); err != nil || begin != json.Delim('{') {
		return nil, notAnObject(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, notAnObject(err)
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, notAnObject(err)
		}
		name := strings.ReplaceAll(fmt.Sprint(key), "_", "-")
		if _, twice := c.values[name]; twice {
			return nil, fmt.Errorf("%s is there twice", key)
		}
		c.values[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, notAnObject(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("has text after its JSON object")
	}
	return c, nil
}

func notAnObject(err error) error {
	if err == nil {
		return errors.New("is no JSON object of flags")
	}
	return fmt.Errorf("is no JSON object of flags: %w", err)
}

// Validate refuses a key that is no flag of any command.
func (c *configuration) Validate(app *kong.Application) error {
	flags := make(map[string]bool)
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			flags[flag.Name] = true
		}
		return next(nil)
	})
	names := make([]string, 0, len(flags))
	for name := range flags {
		names = append(names, name)
	}
	for key := range c.values {
		if flags[key] {
			continue
		}
		near := ""
		if nearest := rollcall.Nearest(key, names); len(nearest) > 0 {
			near = "; did you mean " + strings.Join(nearest, " or ") + "?"
		}
		return fmt.Errorf("%s: %s is no flag of any command%s", c.path, key, near)
	}
	return nil
}

// Resolve gives the file's value, unless the environment has one.
func (c *configuration) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, ok := c.values[flag.Name]
	if !ok {
		return nil, nil
	}
	if want := wanted(flag.Target); !fits(want, value) {
		return nil, fmt.Errorf("%s: is not %s", c.path, want)
	}
	for _, name := range flag.Envs {
		if _, ok := os.LookupEnv(name); ok {
			return nil, nil
		}
	}
	if number, ok := value.(json.Number); ok {
		return number.String(), nil // which the parser reads as on the command line
	}
	return value, nil
}

// wanted names the JSON type of a flag's values.
func wanted(target reflect.Value) string {
	kind := target.Kind()
	if _, text := target.Addr().Interface().(encoding.TextUnmarshaler); text {
		return "a text"
	}
	switch {
	case kind == reflect.Slice:
		return "a list"
	case kind == reflect.Bool:
		return "true or false"
	case target.Type().PkgPath() == "time": // 30s
		return "a text"
	case kind >= reflect.Int && kind <= reflect.Float64:
		return "a number"
	}
	return "a text"
}

func fits(want string, value any) bool {
	switch value.(type) {
	case string:
		return want == "a text" || want == "a list"
	case json.Number:
		return want == "a number"
	case bool:
		return want == "true or false"
	case []any:
		return want == "a list"
	}
	return false
}
