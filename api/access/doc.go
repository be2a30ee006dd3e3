// Package access says who asks, and lets through who may. A caller comes with an
// API key, or with the session that was begun with one; a request that comes
// without keys, on this machine, is the operator's own.
//
// Read caller.go first: who may do what. keyring.go holds the keys, use.go when
// each was used last, control.go stands before all routes, session.go lets a
// browser sign in, oidc.go with an account of an organisation, seal.go closes what
// it then carries, attempts.go limits keys that are not known, and guard.go what a
// web page may do.
package access
