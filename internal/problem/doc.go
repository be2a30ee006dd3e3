// Package problem is how every failure is answered over HTTP: RFC 9457's
// problem+json, with a code that stays the same from version to version, and all
// faults of the request at once.
package problem
