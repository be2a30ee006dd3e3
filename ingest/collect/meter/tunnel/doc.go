// Package tunnel unwraps what carries a messenger's stream through an office's
// proxy: HTTP CONNECT, SOCKS 4 and 5, WebSocket, and the messengers' own ways
// over HTTP (MSN's gateway.dll, Yahoo's notify, AIM's proxy, XMPP's BOSH and the
// polling before it), whose polls may come over many connections. What is inside
// is read as if it stood alone. Names and passwords for proxies are passed over.
//
// Read message.go first (bytes into requests and answers), then http.go (a
// connection of them), gateway.go, bosh.go and polling.go (sessions that they
// carry), websocket.go and deflate.go, socks.go, and inner.go (where what is
// inside goes).
package tunnel
