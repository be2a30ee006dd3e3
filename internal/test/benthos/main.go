// Command benthos is the core of Benthos with what reads files and writes to HTTP:
// a program that nobody here wrote, and that sends events in the soak tests. It is a
// module of its own, so that the product depends on nothing of it.
package main

import (
	"context"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"   // its inputs and outputs,
	_ "github.com/redpanda-data/benthos/v4/public/components/pure" // and what works on messages
	"github.com/redpanda-data/benthos/v4/public/service"
)

func main() {
	service.RunCLI(context.Background())
}
