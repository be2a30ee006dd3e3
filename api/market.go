package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"rollcall"
	"rollcall/api/access"
	"rollcall/internal/problem"
)

// markets hides from a caller the markets that a key doesn't show.
type markets struct{ *Server }

// ofNoMarket are the routes that tell nothing of one market, or only of those that
// the caller may see.
func ofNoMarket() []string {
	return []string{"/v1/markets", "/v1/services", "/v1/services/{service}", "/v1/segments", "/v1/segments/{segment}", "/v1/targets", "/v1/targets/{target}", "/v1/panels", "/v1/months", "/v1/metrics", "/v1/version", "/v1/reports/markets"}
}

// onlySeen answers a caller who may see some markets only: of another as of one
// that isn't there, and a route that asks for no market not at all, unless it is
// listed above.
func (s markets) onlySeen() func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		caller := access.Of(ctx.Context())
		if caller.OfSegments() && !slices.Contains(ofSegments(), ctx.Operation().Path) {
			answerProblem(ctx, problem.New(http.StatusForbidden, "this key reads some segments only, and may not do this"))
			return
		}
		if !caller.Limited() || slices.Contains(ofNoMarket(), ctx.Operation().Path) {
			next(ctx)
			return
		}
		if !slices.ContainsFunc(ctx.Operation().Parameters, func(p *huma.Param) bool { return p.Name == "market" && p.Required }) {
			answerProblem(ctx, problem.New(http.StatusForbidden, "this key reads some markets only, and may not do this"))
			return
		}
		asked := rollcall.MarketID(cmp.Or(ctx.Param("market"), ctx.Query("market")))
		if asked != "" { // else it is missing, which the route says
			if err := s.sees(caller, asked); err != nil {
				answerProblem(ctx, s.fault("market", err))
				return
			}
		}
		next(ctx)
	}
}

// sees refuses a market that isn't there, or that the caller may not know of, in
// the words for one that isn't there.
func (s markets) sees(c access.Caller, m rollcall.MarketID) error {
	seen, err := rollcall.NewCatalogue(s.seen(c), nil)
	if err != nil {
		return err
	}
	return seen.Knows(m)
}

// seen gives the markets that a caller may know of.
func (s markets) seen(c access.Caller) []rollcall.Market {
	return slices.DeleteFunc(slices.Clone(s.Catalogue.Catalogue().Markets), func(m rollcall.Market) bool { return !c.Sees(m.ID) })
}

func (s markets) get(ctx context.Context, _ *nothing) (*list[rollcall.Market], error) {
	return listOf(s.seen(access.Of(ctx))), nil
}

type marketInput struct {
	Market string `path:"market"`
	Plain
}

func (s markets) getOne(ctx context.Context, in *marketInput) (*body[rollcall.Market], error) {
	seen := s.seen(access.Of(ctx))
	at := slices.IndexFunc(seen, func(m rollcall.Market) bool { return m.ID == rollcall.MarketID(in.Market) })
	if at < 0 {
		return nil, s.fault("market", s.sees(access.Of(ctx), rollcall.MarketID(in.Market)))
	}
	return &body[rollcall.Market]{Body: seen[at]}, nil
}

// MarketChange adds a market, or changes one: an empty name or zone stays what
// it was.
type MarketChange struct {
	Market    string `json:"market"`
	Name      string `json:"name,omitempty"`
	Zone      string `json:"zone,omitempty" doc:"IANA, such as Europe/Paris; it stays once the market has facts"`
	Rename    bool   `json:"rename,omitempty" doc:"change the name of a market that has facts"`
	Simulated bool   `json:"simulated,omitempty" doc:"its people do not exist; it can't be changed later"`
}

func (s markets) post(ctx context.Context, in *given[MarketChange]) (*made[rollcall.Market], error) {
	unknown := s.Catalogue.Catalogue().Knows(rollcall.MarketID(in.Body.Market))
	m := rollcall.Market{ID: rollcall.MarketID(in.Body.Market), Name: in.Body.Name, Zone: in.Body.Zone, Simulated: in.Body.Simulated}
	m, err := s.Catalogue.AddMarket(ctx, m, in.Body.Rename)
	if err != nil {
		return nil, s.fault("add market", err)
	}
	s.audited(ctx, "set market", m.ID, m.Name+", "+m.Zone)
	return madeAt(address("markets", string(m.ID)), m, unknown != nil), nil
}
