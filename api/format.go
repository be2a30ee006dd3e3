package api

import (
	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/jsondepth"
)

// formats are those of the bodies that OpenAPI describes: JSON, which is looked
// at for its nesting before it is parsed.
func formats() map[string]huma.Format {
	bounded := huma.DefaultJSONFormat
	bounded.Unmarshal = jsondepth.Unmarshal
	return map[string]huma.Format{"application/json": bounded, "json": bounded}
}

// withoutBody takes out of a problem the whole body that it is about: the
// sender has it, and it may name persons.
func withoutBody(_ huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*Problem); ok {
		for _, e := range p.Errors {
			if e.Location == "body" {
				e.Value = nil
			}
		}
	}
	return v, nil
}
