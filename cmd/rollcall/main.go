package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	_ "time/tzdata" // zones must not depend on the machine
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"rollcall"
	"rollcall/api/disclosure"
	"rollcall/ingest/profile"
	"rollcall/internal/server"
)

// Exit codes.
const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	signal.Ignore(syscall.SIGPIPE) // a reader that goes (| head) must not kill the embedded log
	err := run(ctx, os.Args[1:], os.Stdin, stdout{os.Stdout}, os.Stderr)
	switch {
	case onlyUnread(err):
		return
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		err = errInterrupted
	}
	fmt.Fprintln(os.Stderr, "rollcall:", plain(err))
	os.Exit(exitCode(err))
}

// plain gives an error's text without the kinds that programs tell errors by.
func plain(err error) string {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		for _, kind := range []error{rollcall.ErrInvalid, rollcall.ErrConflict, rollcall.ErrNotFound} {
			line = strings.TrimPrefix(line, kind.Error()+": ")
			if kind != rollcall.ErrNotFound { // which is a predicate where it ends a line
				line = strings.TrimSuffix(line, ": "+kind.Error())
				line = strings.ReplaceAll(line, ": "+kind.Error()+": ", ": ")
			}
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// errInterrupted is all that there is to say where the user, or the system, has
// stopped a command.
var errInterrupted = errors.New("interrupted before the end; what was acknowledged stays, and the same command may be given again")

// unreadError says that whoever read stdout has gone: | head, say.
type unreadError struct{ error }

// Unwrap gives the system's error.
func (e *unreadError) Unwrap() error { return e.error }

// stdout marks the error of our own closed stdout. Any other closed pipe, such
// as a server's that was killed, is a failure. The file is not embedded: its own
// WriteString and ReadFrom, which io prefers, would go past the mark.
type stdout struct{ file *os.File }

// Write writes to the file.
func (o stdout) Write(b []byte) (int, error) {
	n, err := o.file.Write(b)
	if errors.Is(err, syscall.EPIPE) {
		err = &unreadError{err}
	}
	return n, err
}

// Fd tells a terminal from a file.
func (o stdout) Fd() uintptr { return o.file.Fd() }

// onlyUnread is true of no error, and where all that failed is that nobody
// reads stdout any more.
func onlyUnread(err error) bool {
	switch e := err.(type) { //nolint:errorlint // every branch of the tree must be looked at
	case nil, *unreadError:
		return true
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(one error) bool { return !onlyUnread(one) })
	case interface{ Unwrap() error }:
		return e.Unwrap() != nil && onlyUnread(e.Unwrap())
	}
	return false
}

// notText refuses what is not UTF-8 text: the parser would make other text of it.
func notText(args []string) error {
	at := slices.IndexFunc(args, func(arg string) bool { return !utf8.ValidString(arg) })
	if at < 0 {
		return nil
	}
	return fmt.Errorf("%q: is not UTF-8 text", args[at])
}

func exitCode(err error) int {
	var usage server.UsageError
	if errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// cli is the command line, a field a subcommand.
type cli struct {
	Demo        demoCmd        `cmd:"" help:"Start with the demonstration's markets loaded through the real pipeline."`
	Run         runCmd         `cmd:"" help:"Run every stage in one process."`
	Collect     collectCmd     `cmd:"" help:"Collect sightings: from captures."`
	Aggregate   aggregateCmd   `cmd:"" help:"A cluster's role: fold the log into the store."`
	Serve       serveCmd       `cmd:"" help:"A cluster's role: the API."`
	Replay      replayCmd      `cmd:"" help:"Fold a part of the log again; what is stored already does not change."`
	Events      eventsCmd      `cmd:"" help:"Load files of events."`
	Log         logCmd         `cmd:"" help:"Look after the embedded log."`
	Rejected    rejectedCmd    `cmd:"" help:"Look at what was refused."`
	Market      marketCmd      `cmd:"" help:"Add and list markets."`
	Service     serviceCmd     `cmd:"" help:"Add and list services."`
	Segment     segmentCmd     `cmd:"" help:"Name, merge and list segments."`
	Panel       panelCmd       `cmd:"" help:"Load a panel's month, exclude and erase."`
	Close       closeCmd       `cmd:"" help:"Close a month: publish its next version."`
	Report      reportCmd      `cmd:"" help:"Print a panel report."`
	Census      censusCmd      `cmd:"" help:"Print unique accounts over any range of days; undo mistakes in them."`
	Publication publicationCmd `cmd:"" help:"List, compare and verify what was published."`
	Export      exportCmd      `cmd:"" help:"Write a published month as a folder of files."`
	Target      targetCmd      `cmd:"" help:"Save and list targets."`
	Check       checkCmd       `cmd:"" help:"Check that a published table is of one universe."`
	Token       tokenCmd       `cmd:"" help:"Make, list and revoke API keys."`
	Key         keyCmd         `cmd:"" help:"List the pseudonyms' master keys, and rotate to a new one."`
	Backup      backupCmd      `cmd:"" help:"Copy the store while it is in use."`
	Store       storeCmd       `cmd:"" help:"Check the store, and copy it."`
	Restore     restoreCmd     `cmd:"" help:"Make a data folder of a backup."`
	Sketch      sketchCmd      `cmd:"" help:"Encode, merge and estimate raw sketch states."`
	Probe       probeCmd       `cmd:"" help:"Ask a probe such as /readyz: fails unless it answers 200."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// streams are the process's own: results to out, logs and progress to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// options are what a process of this command is given.
func (s *streams) options(debug bool) server.Options {
	least := slog.LevelInfo
	if debug {
		least = slog.LevelDebug
	}
	return s.optionsAt(least)
}

func (s *streams) optionsAt(least slog.Level) server.Options {
	return server.Options{Software: software(), Log: newLogger(s.err, least), Out: s.out, Readers: disclosure.Default()}
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := notText(args); err != nil {
		return server.UsageError{Err: err}
	}
	helped := false
	parser, err := newParser(ctx, &streams{in: stdin, out: stdout, err: stderr}, func(int) { helped = true }, args...)
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if helped {
		return nil
	}
	var unwritten *fs.PathError // the help
	if unread := (*unreadError)(nil); errors.As(err, &unread) || errors.As(err, &unwritten) && unwritten.Op == "write" {
		return err
	}
	if err == nil {
		err = errors.Join(givenTwice(command), emptyLimit(command), emptyName(command))
	}
	if unknown := (*rollcall.Unknown)(nil); errors.As(err, &unknown) {
		return unknown
	}
	if err != nil {
		return server.UsageError{Err: errors.New(withCommands(withHelp(usageWords(err.Error()), err), err))}
	}
	return command.Run()
}

// withHelp says in plain words what to give where something is missing, and whose help
// says what that is.
func withHelp(text string, err error) string {
	var at *kong.ParseError
	if !errors.As(err, &at) || at.Context == nil || at.Context.Selected() == nil {
		return text
	}
	command, _, _ := strings.Cut(at.Context.Selected().FullPath(), " <")
	help := "`" + command + " --help` says what "
	if _, list, ok := strings.Cut(text, missingFlags); ok {
		list = textFlag.ReplaceAllStringFunc(list, func(flag string) string {
			name := strings.TrimSuffix(flag, textValue)
			return name + "=" + strings.ToUpper(strings.TrimPrefix(name, "--"))
		})
		at := strings.LastIndex(list, ", ")
		if at < 0 && !strings.Contains(list, " or ") {
			return "give " + list + ": " + help + "it is"
		}
		if at >= 0 {
			list = list[:at] + " and " + list[at+len(", "):]
		}
		return "give " + list + ": " + help + "they are"
	}
	if strings.HasPrefix(text, "<") && strings.HasSuffix(text, argumentMissing) {
		return text + "; " + help + "it is"
	}
	return text
}

// withCommands says which commands there are, where what was given is none of them.
func withCommands(text string, err error) string {
	var at *kong.ParseError
	word, unexpected := strings.CutPrefix(text, unexpectedArgument)
	if !unexpected || strings.Contains(text, ", did you mean") || !errors.As(err, &at) || at.Context == nil {
		return text
	}
	node := at.Context.Selected()
	if node == nil {
		return word + ": is no command; `rollcall --help` lists those that are"
	}
	if node.Parent != nil && node.Parent.DefaultCmd == node {
		node = node.Parent
	}
	var names []string
	for _, child := range node.Children {
		names = append(names, child.Name)
	}
	if len(names) == 0 {
		return text
	}
	return fmt.Sprintf("%s: is no command of %s, which has %s", word, node.FullPath(), strings.Join(names, ", "))
}

// giveMarket says what to give where a market is missing.
func giveMarket(command string) error {
	return server.UsageError{Err: fmt.Errorf("give --market=MARKET: `rollcall %s --help` says what it is", command)}
}

// What the parser says of flags that are missing, and for the value of a flag that has
// no other name for it; and what is said of a missing argument.
const (
	missingFlags    = "missing flags: "
	textValue       = "=STRING"
	argumentMissing = ": is missing"

	unexpectedArgument = "unexpected argument "
)

var textFlag = regexp.MustCompile(`--[a-z-]+` + textValue)

// usageWords says in plain words, which name the flag and what was given, what
// the parser says in its own.
func usageWords(text string) string {
	for _, w := range parserWords {
		if w.text.MatchString(text) {
			text = w.text.ReplaceAllString(text, w.words)
		}
	}
	if flag, list, ok := strings.Cut(text, oneOf); ok {
		text = flag + oneOf + strings.Join(strings.FieldsFunc(list, func(r rune) bool { return strings.ContainsRune(`",`, r) }), ", ")
	}
	return text
}

const oneOf = ": is not one of "

var parserWords = []struct {
	text  *regexp.Regexp
	words string
}{
	{regexp.MustCompile(`^(\S+): expected .*but got "EOL" \(<EOL>\)$`), "$1: needs a value"},
	{regexp.MustCompile(`^(\S+): expected .* but got "-.*" \(short flag\); perhaps try (.*)\?$`), "$1: needs a value; one that begins with - is given as $2"},
	{regexp.MustCompile(`^(\S+): expected .*\((long|short) flag\).*$`), "$1: needs a value"},
	{regexp.MustCompile(`^(\S+): expected a valid \d+ bit int but got (".*")$`), "$1 $2: is not a whole number that can be used"},
	{regexp.MustCompile(`^(\S+): expected a valid \d+ bit uint but got (".*")$`), "$1 $2: is not a whole number of 0 or more that can be used"},
	{regexp.MustCompile(`^(\S+): expected a float but got (".*") \(\w+\)$`), "$1 $2: is not a number"},
	{regexp.MustCompile(`^(\S+): expected duration but got (".*"): .*$`), "$1 $2: is not a length of time such as 30s or 5m"},
	{regexp.MustCompile(`^(\S+): bool value must be .* but got (".*?")( .*)?$`), "$1 $2: is neither true nor false$3"},
	{regexp.MustCompile(`^(--\S+) must be one of (.*) but got (".*")$`), "$1 $3" + oneOf + "$2"},
	{regexp.MustCompile(`^(--\S+): (?:month|day)( ".*")?: (.*)$`), "$1$2: $3"},
	{regexp.MustCompile(`^expected "(<.*)"$`), "$1: is missing"},
	{regexp.MustCompile(`^expected "(.*)"$`), "a command is missing: $1"},
	{regexp.MustCompile(`^expected one of (.*)$`), "a command is missing: one of $1"},
}

// givenTwice refuses a flag that stands twice on the command line where one
// value is meant: the parser would drop the first in silence.
func givenTwice(command *kong.Context) error {
	seen := map[string]bool{}
	for _, part := range command.Path {
		if part.Flag == nil || part.Resolved || part.Flag.IsCumulative() || part.Flag.IsCounter() {
			continue
		}
		if seen[part.Flag.Name] {
			return fmt.Errorf("--%s is given twice", part.Flag.Name)
		}
		seen[part.Flag.Name] = true
	}
	return nil
}

// emptyLimit refuses an empty value of a flag without which everything is meant:
// a script whose variable is empty would make a key of all segments.
func emptyLimit(command *kong.Context) error {
	for _, part := range command.Path {
		if part.Flag == nil || part.Resolved || !limits(part.Flag.Name) {
			continue
		}
		if value := reflect.ValueOf(command.FlagValue(part.Flag)); emptyValue(value) {
			return fmt.Errorf("--%s: is empty", part.Flag.Name)
		}
	}
	return nil
}

// emptyName refuses a list in which a name is empty: what was meant can't be known.
func emptyName(command *kong.Context) error {
	for _, part := range command.Path {
		if part.Flag == nil || part.Resolved {
			continue
		}
		list := reflect.ValueOf(command.FlagValue(part.Flag))
		if list.Kind() != reflect.Slice || list.Type().Elem().Kind() != reflect.String {
			continue
		}
		names := make([]string, list.Len())
		for i := range names {
			names[i] = list.Index(i).String()
		}
		if _, err := rollcall.Names("--"+part.Flag.Name, strings.Join(names, ",")); err != nil {
			return err
		}
	}
	return nil
}

func limits(flag string) bool {
	return slices.Contains([]string{"markets", "service", "segment", "platform"}, flag) || strings.HasPrefix(flag, "default-")
}

// emptyValue says it of a text, and of a list with nothing in it.
func emptyValue(v reflect.Value) bool {
	return (v.Kind() == reflect.String || v.Kind() == reflect.Slice) && v.Len() == 0
}

// newParser reads command lines that begin with the arguments; exit is called where
// help was asked for.
func newParser(ctx context.Context, s *streams, exit func(int), args ...string) (*kong.Kong, error) {
	files, err := readConfiguration(configurationPaths())
	if err != nil {
		return nil, server.UsageError{Err: err}
	}
	commands := any(new(cli))
	if len(files) == 0 { // whose keys are held to the flags of all
		commands = commandsOf(args)
	}
	parser, err := kong.New(commands,
		kong.Name("rollcall"),
		kong.Description("Audience measurement for messaging services."),
		kong.DefaultEnvars("ROLLCALL"),
		kong.Writers(s.out, s.err),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ValueFormatter(func(v *kong.Value) string { return kong.DefaultHelpValueFormatter(withProfiles(v, args)) }),
		kong.Resolvers(files...),
		kong.NamedMapper(typed, kong.MapperFunc(typedPath)),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(s),
	)
	if err != nil {
		return nil, fmt.Errorf("command line: %w", err)
	}
	return parser, nil
}

// withProfiles gives a flag whose help lists the built-in profiles that the command
// of a command line reads by; any other as it is.
func withProfiles(v *kong.Value, args []string) *kong.Value {
	if v.Flag == nil || v.Flag.PlaceHolder != "PROFILE" {
		return v
	}
	use := profile.OfTables
	switch {
	case slices.Contains(args, "logs"):
		use = profile.OfLog
	case slices.Contains(args, "poll"):
		use = profile.OfSnapshot
	}
	listed := *v
	listed.Help += ": " + strings.Join(profile.Names(use), ", ") + "."
	return &listed
}

// typed is the type of a path that messages show as the user typed it. kong's own
// "path" is absolute, and makes the folder that one is in of an empty one.
const typed = "typed"

func typedPath(ctx *kong.DecodeContext, target reflect.Value) error {
	var path string
	if err := ctx.Scan.PopValueInto("file", &path); err != nil {
		return err
	}
	if path == "" {
		return errors.New("is empty")
	}
	if strings.HasPrefix(path, "~/") {
		path = kong.ExpandPath(path)
	}
	target.SetString(path)
	return nil
}

// commandsOf gives the commands that the arguments may be of: the one that they
// begin with, or all. To prepare the parser for all takes longer than most of them
// run.
func commandsOf(args []string) any {
	all := reflect.TypeFor[cli]()
	for i := range all.NumField() {
		if f := all.Field(i); len(args) > 0 && strings.ToLower(f.Name) == args[0] {
			return reflect.New(reflect.StructOf([]reflect.StructField{f})).Interface()
		}
	}
	return new(cli)
}

// newLogger writes for people on a terminal, JSON elsewhere.
func newLogger(w io.Writer, least slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: least}
	if isTerminal(w) {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr }) // a file, or our stdout
	return ok && isatty.IsTerminal(f.Fd())
}

// version is the release; the build's own record of the commit stands beside it.
const version = "0.1.0"

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(s *streams) error {
	_, err := fmt.Fprintln(s.out, software())
	return err
}

// software names the build as every publication records it.
func software() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "rollcall " + version
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return "rollcall " + version + " " + setting.Value[:min(12, len(setting.Value))]
		}
	}
	return "rollcall " + version
}
