package api

import (
	"fmt"
	"maps"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rollcall/internal/jsondepth"
)

// formats are those of the bodies that OpenAPI describes: JSON, which is looked
// at for its nesting before it is parsed. null is no value of any field: what has
// none is left out.
func formats() map[string]huma.Format {
	bounded := huma.DefaultJSONFormat
	bounded.Unmarshal = func(text []byte, v any) error {
		err := jsondepth.Unmarshal(text, v)
		if parsed, ok := v.(*any); ok && err == nil {
			return refuseNull("the body", *parsed)
		}
		return err
	}
	return map[string]huma.Format{"application/json": bounded, "json": bounded}
}

func refuseNull(name string, value any) error {
	switch v := value.(type) {
	case nil:
		return fmt.Errorf("%s is null: leave out what has no value", name)
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if err := refuseNull(key, v[key]); err != nil {
				return err
			}
		}
	case []any:
		for _, item := range v {
			if err := refuseNull(name, item); err != nil {
				return err
			}
		}
	}
	return nil
}
