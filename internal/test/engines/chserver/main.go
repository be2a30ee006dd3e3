// Command chserver is a ClickHouse server for tests: it loads libchdb.so
// without cgo and serves native TCP and HTTP on loopback from a folder, until
// it is killed. Package engines builds it and gives it its arguments.
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/ebitengine/purego"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "chserver:", err)
		os.Exit(1)
	}
}

// serve starts both listeners and then keeps the process busy doing nothing:
// the library answers only while a query runs.
const serve = `SYSTEM START LISTEN TCP; SYSTEM START LISTEN HTTP;
SELECT sleepEachRow(1) FROM numbers(100000000)
SETTINGS function_sleep_max_microseconds_per_block = 0, max_block_size = 1, max_threads = 1 FORMAT Null`

// run serves with the library on two ports, native and HTTP; the rest are
// arguments of clickhouse local. It returns only when the server can't run.
func run(args []string) error {
	if len(args) < 3 {
		return fmt.Errorf("usage: chserver LIBRARY NATIVE-PORT HTTP-PORT [ARGUMENT...]")
	}
	library, native, web := args[0], args[1], args[2]
	lib, err := purego.Dlopen(library, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return fmt.Errorf("load %s: %w", library, err)
	}
	go func() { panic(front(context.Background(), native, web)) }() // nothing else would end the process
	var query func(argc int32, argv **byte) uintptr
	purego.RegisterLibFunc(&query, lib, "chdb_query_cmdline")

	argv, held := cArguments(append([]string{"clickhouse", "--query", serve,
		"--listen_host", inner, "--tcp_port", native, "--http_port", web}, args[3:]...))
	query(int32(len(argv)-1), &argv[0])
	runtime.KeepAlive(held)
	return fmt.Errorf("serve with %s: the server ended by itself", library)
}

// cArguments gives argv as C wants it: pointers to zero-ended strings, closed
// by a nil. held holds the bytes that argv points to.
func cArguments(args []string) (argv []*byte, held [][]byte) {
	for _, arg := range args {
		b := append([]byte(arg), 0)
		held = append(held, b)
		argv = append(argv, &b[0])
	}
	return append(argv, nil), held
}
