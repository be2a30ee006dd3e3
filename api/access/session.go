package access

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"time"

	"rollcall"
	"rollcall/internal/jsondepth"
	"rollcall/internal/problem"
)

// SessionPath is where a browser begins a session, asks for it and ends it.
const SessionPath = "/v1/session"

// SessionTime is how long a session lasts.
const SessionTime = 12 * time.Hour

// session is what a browser holds in a key's place: a sealed cookie, which no
// script can read. It ends when its time is over, when its key is revoked, and
// when the browser signs out.
type session struct {
	ID   string    `json:"id"`
	Ends time.Time `json:"ends"`

	Key   string `json:"key,omitempty"`   // the id of the key that began it; "": its issuer said who it is
	Proof string `json:"proof,omitempty"` // of that key, and not another of its id

	Name    string              `json:"name,omitempty"` // as the issuer said
	Subject string              `json:"subject,omitempty"`
	Role    Role                `json:"role,omitempty"`
	Markets []rollcall.MarketID `json:"markets,omitempty"`
}

func proofOf(t Token) string { return hashOf(t.Hash)[:32] }

// sessions are those that were ended before their time.
type sessions struct {
	seal seal
	now  func() time.Time

	mu    sync.Mutex // guards ended
	ended map[string]time.Time
}

// mostEnded bounds how many are remembered.
const mostEnded = 100_000

// end ends an id, which would end of itself at a time, and says whether it was not
// ended before. Where there is no room the id is not remembered.
func (s *sessions) end(id string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	maps.DeleteFunc(s.ended, func(_ string, ends time.Time) bool { return !ends.After(now) })
	_, before := s.ended[id]
	if !before && len(s.ended) < mostEnded {
		s.ended[id] = at
	}
	return !before
}

// has says whether an id was ended before.
func (s *sessions) has(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ended := s.ended[id]
	return ended
}

// cookieName names the session's cookie. Over TLS no other server of the site can
// set one of this name (RFC 6265bis, "__Host-").
func cookieName(r *http.Request) string {
	if r.TLS != nil {
		return "__Host-rollcall"
	}
	return "rollcall"
}

// find opens the session that a request brings.
func (c *Control) find(r *http.Request) (s session, _ Caller, ok bool) {
	cookie, err := r.Cookie(cookieName(r))
	if err != nil || c.sessions.seal.open("session", cookie.Value, &s) != nil {
		return s, Caller{}, false
	}
	if !c.sessions.now().Before(s.Ends) || c.sessions.has(s.ID) {
		return s, Caller{}, false
	}
	if s.Key == "" {
		return s, Caller{ID: "oidc:" + s.Subject, Name: s.Name, Role: s.Role, Markets: s.Markets}, true
	}
	token, known := c.Keys.named(s.Key)
	if !known || proofOf(token) != s.Proof {
		return s, Caller{}, false
	}
	return s, token.Caller(), true
}

// begin gives the browser a session.
func (c *Control) begin(w http.ResponseWriter, r *http.Request, s session) error {
	s.ID, s.Ends = rand.Text(), c.sessions.now().Add(SessionTime).UTC().Truncate(time.Second)
	sealed, err := c.sessions.seal.close("session", s)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(r, sealed, int(SessionTime.Seconds())))
	return nil
}

func (c *Control) cookie(r *http.Request, value string, age int) *http.Cookie {
	return &http.Cookie{Name: cookieName(r), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: c.secure(r), SameSite: http.SameSiteStrictMode} //nolint:gosec // Secure wherever the browser speaks HTTPS
}

// secure says whether the browser speaks HTTPS, to this server or to a proxy
// before it.
func (c *Control) secure(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(cmp.Or(c.Public, r.Header.Get("Origin")), "https://")
}

// Session is what a server says of who asks, and of how to sign in.
type Session struct {
	Keys     bool                `json:"keys" doc:"whether the server asks for a key at all"`
	OIDC     bool                `json:"oidc" doc:"whether one can sign in at /v1/oidc/login"`
	SignedIn bool                `json:"signed_in" doc:"whether this request came with a key, or a session"`
	Name     string              `json:"name,omitempty" doc:"the key's"`
	Role     Role                `json:"role,omitempty" enum:"read,ingest,publish,admin"`
	Markets  []rollcall.MarketID `json:"markets,omitempty" doc:"that may be seen; absent: all"`
	Segments []string            `json:"segments,omitempty" doc:"that may be seen; absent: all"`
	Ends     time.Time           `json:"ends,omitzero" doc:"when the session ends at the latest"`
}

// GetSession answers who asks.
func (c *Control) GetSession(w http.ResponseWriter, r *http.Request) {
	says := Session{Keys: c.Keys != nil, OIDC: c.OIDC != nil}
	if caller := Of(r.Context()); caller.Role != "" {
		says.SignedIn, says.Name, says.Role, says.Markets = true, caller.Name, caller.Role, caller.Markets
		says.Segments = names(caller.Segments)
		if bearer(r) == "" {
			found, _, _ := c.find(r)
			says.Ends = found.Ends
		}
	}
	writeSession(w, http.StatusOK, says)
}

func names(segments []rollcall.SegmentID) (all []string) {
	for _, s := range segments {
		all = append(all, s.String())
	}
	return all
}

func writeSession(w http.ResponseWriter, status int, says Session) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(says) // the client has gone: nobody is left to tell
}

// PostSession begins a session with a key.
func (c *Control) PostSession(w http.ResponseWriter, r *http.Request) {
	if err := checkOrigin(r, c.Public); err != nil {
		problem.Write(w, http.StatusForbidden, err.Error())
		return
	}
	if c.Keys == nil {
		problem.Write(w, http.StatusConflict, errNoKeys.Error())
		return
	}
	key, err := keyIn(r)
	if err != nil {
		problem.Write(w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	token, verdict := c.known(r, key)
	if verdict != admitted {
		refuse(w, verdict)
		return
	}
	if err := c.begin(w, r, session{Key: token.ID, Proof: proofOf(token)}); err != nil {
		c.failed(w, err)
		return
	}
	w.Header().Set("Location", SessionPath)
	writeSession(w, http.StatusCreated, Session{Keys: true, SignedIn: true, Name: token.Name, Role: token.Role, Markets: token.Markets, Segments: names(token.Segments)})
}

// failed says that no session could be begun, by a fault of ours.
func (c *Control) failed(w http.ResponseWriter, err error) {
	c.Log.Error("a session could not be begun", "error", err)
	d, _ := problem.Of(err)
	d.Write(w)
}

var errNoKeys = errors.New("this server asks for no key")

// keyIn reads the body of a sign-in: {"key": "rc_..."}.
func keyIn(r *http.Request) (string, error) {
	const most = 1 << 10
	text, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	var body struct {
		Key string `json:"key"`
	}
	if err != nil || len(text) > most || jsondepth.Unmarshal(text, &body) != nil || body.Key == "" {
		return "", errors.New(`body: want {"key": "the API key"}`)
	}
	return strings.TrimSpace(body.Key), nil
}

// DeleteSession ends the session that a browser holds.
func (c *Control) DeleteSession(w http.ResponseWriter, r *http.Request) {
	if err := checkOrigin(r, c.Public); err != nil {
		problem.Write(w, http.StatusForbidden, err.Error())
		return
	}
	if c.Keys != nil {
		if found, _, ok := c.find(r); ok {
			c.sessions.end(found.ID, found.Ends)
		}
		http.SetCookie(w, c.cookie(r, "", -1))
	}
	w.WriteHeader(http.StatusNoContent)
}
