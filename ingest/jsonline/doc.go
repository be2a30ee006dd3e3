// Package jsonline reads one JSON object whose fields are text, such as an event's
// line: the fields that it was made for are put where their owner wants them, any
// other is passed over whatever it is. What encoding/json refuses it refuses, and
// more, since an event must not be counted for what its sender didn't write: text
// that is not UTF-8, where encoding/json puts U+FFFD so that two accounts become
// one; half of a sign (\ud800 alone), for the same reason; a field that is looked for
// and is there twice, or under its name in another case. Its fuzz test holds it to
// encoding/json and to just these.
//
// Read object.go first (an object's fields), then value.go (what is passed over)
// and text.go (strings).
package jsonline
