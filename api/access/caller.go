package access

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"rollcall"
)

// EventPaths are those that events are posted to: Rollcall's own, and those of the
// trackers that speak Segment's API, or PostHog's.
func EventPaths() []string {
	return []string{EventsPath, "/v1/batch", "/v1/import", "/v1/track", "/v1/page", "/v1/screen", "/v1/identify", "/v1/group", "/v1/alias",
		"/batch", "/batch/", "/capture", "/capture/", "/i/v1/analytics/events"}
}

// EventsPath is where events come in Rollcall's own forms.
const EventsPath = "/v1/events"

// TakesEvents says whether a path is one that events are posted to.
func TakesEvents(path string) bool { return slices.Contains(EventPaths(), path) }

// keyInBody says whether a key may come in the body that is posted to a path: most
// of PostHog's clients send it there and nowhere else.
func keyInBody(path string) bool {
	return slices.Contains([]string{"/batch", "/batch/", "/capture", "/capture/"}, path)
}

// Role is what a caller may do.
type Role string

// The roles. Each but admin does one thing; admin does all.
const (
	RoleRead    Role = "read"    // reports, census, catalogue, metrics
	RoleIngest  Role = "ingest"  // send events
	RolePublish Role = "publish" // read, load panels, close months, exclude
	RoleAdmin   Role = "admin"
)

// Roles lists them all.
func Roles() []Role { return []Role{RoleRead, RoleIngest, RolePublish, RoleAdmin} }

// Caller is who sends a request. The zero value is the operator, who asks on the
// machine itself, without a key.
type Caller struct {
	ID      string // the key's
	Name    string
	Role    Role
	Markets []rollcall.MarketID // that a reader may see, in order; empty: all

	Segments []rollcall.SegmentID // that a reader may see, in order; empty: all
	Defaults rollcall.Defaults    // of the events that it sends
}

// callerKey marks a request with its Caller.
type callerKey struct{}

// With marks a context as a caller's.
func With(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// claimKey marks a request with the claim that the key in its body will make.
type claimKey struct{}

type claim func(key string) (Caller, error)

// Claim says whose request it is that takes events, once the key in its body is
// known; where a key came in a header, or none is asked for, it is Of's. A
// *problem.Details refuses it.
func Claim(r *http.Request, key string) (Caller, error) {
	if c, ok := r.Context().Value(claimKey{}).(claim); ok {
		return c(key)
	}
	return Of(r.Context()), nil
}

// Of says whose request a context is.
func Of(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// IsReader says that the caller reads and no more, and is never served an internal
// version.
func (c Caller) IsReader() bool { return c.Role == RoleRead }

// Operates says that the caller is the operator, or an administrator.
func (c Caller) Operates() bool { return c.Role == "" || c.Role == RoleAdmin }

// Limited says that there are markets which the caller may not see.
func (c Caller) Limited() bool { return len(c.Markets) > 0 }

// Sees says whether the caller may know of a market.
func (c Caller) Sees(m rollcall.MarketID) bool { return !c.Limited() || slices.Contains(c.Markets, m) }

// OfSegments says that there are segments which the caller may not see.
func (c Caller) OfSegments() bool { return len(c.Segments) > 0 }

// Scope names all that answers to the caller depend on: two callers of one scope
// are answered alike.
func (c Caller) Scope() string {
	words := []string{string(c.Role)}
	for _, m := range c.Markets {
		words = append(words, "market:"+string(m))
	}
	for _, s := range c.Segments {
		words = append(words, "segment:"+s.String())
	}
	return strings.Join(words, " ")
}

// may says whether the caller may do what the request asks. What no line names is
// for admin alone.
func (c Caller) may(r *http.Request) bool {
	switch path := r.URL.Path; {
	case path == "/mcp": // an assistant is given what it needs, and no more
		return c.Role == RoleRead
	case c.Role == RoleAdmin:
		return true
	case TakesEvents(path):
		return c.Role == RoleIngest
	case path == "/v1/rejected" || path == "/v1/master-keys" || path == "/v1/audit": // whole inputs, accounts and all; the operator's own
		return false
	case path == "/metrics" && (c.Limited() || c.OfSegments()): // they name every market, and segments
		return false
	case !changes(r.Method):
		return c.Role == RoleRead || c.Role == RolePublish
	}
	return c.Role == RolePublish && publishes(r.URL.Path)
}

func publishes(path string) bool {
	if strings.HasSuffix(path, "/limits") { // what is shown at all is for admin to say
		return false
	}
	for _, prefix := range []string{"/v1/panels/", "/v1/publications", "/v1/exclusions", "/v1/targets", "/v1/census/removals", "/v1/census/marks"} {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}
