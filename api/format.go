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
