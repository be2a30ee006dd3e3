// Package dashboards holds what draws Rollcall's figures: the page of web/, which
// the binary carries and serves.
package dashboards
