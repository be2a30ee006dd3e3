package main

import (
	"io"

	"github.com/alecthomas/kong"

	"rollcall/internal/jsondepth"
)

// configuration reads a configuration file, as far as its nesting is bounded.
func configuration(r io.Reader) (kong.Resolver, error) { return kong.JSON(jsondepth.Reader(r)) }
