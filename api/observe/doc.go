// Package observe tells of the requests that a process answers: as metrics by
// the pattern of their route, and as a line each in the log at debug. What a
// request asks (its query, its headers, its body) is in neither.
package observe
