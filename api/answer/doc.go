// Package answer makes what the API's routes answer with uniform: every GET has
// an ETag and is packed as its reader likes, HEAD and OPTIONS are answered on every
// route, and the bytes of published figures are kept, so that asking again costs
// a lookup.
package answer
