// Package jsonline reads one JSON object whose fields are text, such as an event's
// line: the fields that it was made for are put where their owner wants them, any
// other is passed over whatever it is. It says of every text what encoding/json
// says, but that names are matched in their case; its fuzz test holds it to that.
//
// Read object.go first (an object's fields), then value.go (what is passed over)
// and text.go (strings).
package jsonline
