package export

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// members gives the members of what is written as a JSON object, in its order.
func members(v any) ([]member, error) {
	object, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var out []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{name: fmt.Sprint(name)}
		if err := d.Decode(&m.json); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
