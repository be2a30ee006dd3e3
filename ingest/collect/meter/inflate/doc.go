// Package inflate unpacks DEFLATE (RFC 1951) as its bytes arrive, without a
// reader that waits for more: whatever is complete comes out at once, however
// the sender flushes. It is for streams that never end, as those of XMPP's zlib
// and of WebSocket's messages are. What a stream holds is its window and the
// tables of its current block.
//
// Read stream.go first, then code.go.
package inflate
