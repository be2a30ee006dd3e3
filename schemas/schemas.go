// Package schemas holds the contracts: the event's JSON Schema, the tables of
// the store on ClickHouse, and the catalogue of services that every deployment
// begins with.
package schemas

import (
	"embed" // the contracts are files of this folder
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"

	"rollcall"
)

// EventSchema is the JSON Schema of an event as collectors send it.
//
//go:embed event.schema.json
var EventSchema []byte

// ClickHouse holds the migrations of the store on ClickHouse, templates in the
// folder clickhouse whose names begin with their numbers.
//
//go:embed clickhouse/*.sql
var ClickHouse embed.FS

// Signatures is how today's services are known on a wire: service, sign, value,
// source, date.
//
//go:embed signatures/signatures.csv
var Signatures string

// Sources holds the profiles of the servers whose tables are read, and the user
// agents that tell a platform.
//
//go:embed sources/*.yaml sources/poll/*.yaml
var Sources embed.FS

//go:embed services.csv
var servicesCSV string

// Services gives the catalogue in order of id. The error names the line.
func Services() ([]rollcall.Service, error) {
	lines, err := csv.NewReader(strings.NewReader(servicesCSV)).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("services.csv: %w", err)
	}
	services := make([]rollcall.Service, 0, len(lines))
	for i, line := range lines[1:] {
		s := rollcall.Service{ID: rollcall.ServiceID(line[0]), Name: line[1], Brand: line[2], Owner: line[3]}
		if line[4] != "" { // online has none: it is no service
			if s.Colour, err = strconv.Atoi(line[4]); err != nil {
				return nil, fmt.Errorf("services.csv: line %d: colour: %w", i+2, err)
			}
		}
		if err := s.Validate(); err != nil {
			return nil, fmt.Errorf("services.csv: line %d: %w", i+2, err)
		}
		services = append(services, s)
	}
	return services, nil
}
