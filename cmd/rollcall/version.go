package main

import (
	"fmt"
	"runtime/debug"
)

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
