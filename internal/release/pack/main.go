// Command pack makes a release of the checkout that it is run in.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/release"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("pack", flag.ContinueOnError)
	out := flags.String("o", "dist", "folder of the release")
	version := flags.String("version", "", "version of the release")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *version == "" {
		return fmt.Errorf("-version is not given")
	}
	said, err := exec.CommandContext(ctx, "git", "log", "-1", "--format=%H %ct").Output()
	if err != nil {
		return fmt.Errorf("git log: %w", err)
	}
	commit, committed, _ := strings.Cut(strings.TrimSpace(string(said)), " ")
	seconds, err := strconv.ParseInt(committed, 10, 64)
	if err != nil {
		return fmt.Errorf("time of the commit: %w", err)
	}
	plan := &release.Plan{Source: ".", Out: *out, Version: *version, Commit: commit, Time: time.Unix(seconds, 0), Platforms: release.Platforms()}
	names, err := release.Make(ctx, plan)
	for _, name := range names {
		fmt.Fprintln(stdout, *out+"/"+name)
	}
	return err
}
