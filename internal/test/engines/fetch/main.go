// Command fetch brings the engines that the tests run against, Apache Kafka
// and Kafka Connect by Maven and ClickHouse by npm, into the cache (see package cache), checks them
// against the sums in this folder, and does nothing where they are there. The
// libraries that read exported files, and Synapse, come by pip, in the versions of
// readers.txt and synapse.txt.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"

	"rollcall/internal/test/engines/cache"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

// run fetches every engine, also where one before it fails.
func run(ctx context.Context, out io.Writer) error {
	dir, err := cache.Find()
	if err != nil {
		return err
	}
	return errors.Join(
		fetch(out, "Apache Kafka "+cache.KafkaVersion, dir.KafkaJars(), func(partial string) error {
			return kafka(ctx, partial)
		}),
		fetch(out, "Kafka Connect "+cache.KafkaVersion, dir.ConnectJars(), func(partial string) error {
			return connect(ctx, partial)
		}),
		fetch(out, "ClickHouse "+cache.ClickHouseVersion, dir.ClickHouse(), func(partial string) error {
			return clickHouse(ctx, partial)
		}),
		fetch(out, "Readers of exports "+cache.ReadersVersion, dir.Readers(), func(partial string) error {
			return environment(ctx, partial, readersList)
		}),
		fetch(out, "Synapse "+cache.SynapseVersion, dir.Synapse(), func(partial string) error {
			return environment(ctx, partial, synapseList)
		}),
	)
}

func fetch(out io.Writer, name, folder string, fill func(partial string) error) error {
	if cache.Present(folder) {
		fmt.Fprintf(out, "%s is in %s\n", name, folder)
		return nil
	}
	fmt.Fprintf(out, "%s: fetching into %s\n", name, folder)
	return cache.Fill(folder, fill)
}

// command runs a tool in dir and gives what it printed as part of its error.
func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	printed, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run %s %v: %w\n%s", name, args, err, printed)
	}
	return nil
}
