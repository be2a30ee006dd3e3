package api

import (
	"cmp"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"rollcall/api/access"
	"rollcall/api/answer"
	"rollcall/api/mcp"
	"rollcall/api/observe"
	"rollcall/api/openapi"
	"rollcall/internal/problem"
)

// routes are those that huma doesn't serve, and then those that it does. OpenAPI
// describes them all, but for the page and /mcp.
func (s *Server) routes(bodies pace) http.Handler {
	mux, health := chi.NewMux(), Health{Ready: s.Ready, Degraded: s.Degraded, Log: s.Logger}
	same := &answer.Uniform{Cache: answer.NewCache(cmp.Or(s.CacheBytes, DefaultCacheBytes), time.Now), Reader: func(r *http.Request) string { return access.Of(r.Context()).Scope() }}
	once := &answer.Once{Path: "/v1/publications", Sender: senderOf, Now: time.Now}
	alike := &answer.Shared{Under: "/v1/census", Key: same.Key}
	mux.Use(observe.Routes(mux), middleware.Recoverer, middleware.RequestSize(maxBody), headers, bodies.bodies, answer.Methods(mux), (&keyUses{Server: s}).noted, same.Found, once.Handler, alike.Handler, wideTables().limit, s.computations().limit, listings().limit, uploads().limit, same.Made)
	mux.NotFound(problem.NothingAt)
	mux.MethodNotAllowed(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", answer.Allowed(mux, r.URL.Path))
		problem.Write(w, http.StatusMethodNotAllowed, r.Method+" is not for "+r.URL.Path)
	})
	if s.Page != nil {
		for _, path := range pagePaths() {
			mux.Method(http.MethodGet, path, files(s.Page))
		}
	}
	mux.Get("/healthz", health.Live)
	mux.Get("/readyz", health.CanWork)
	mux.Get("/v1/rejected", s.getRejected)
	mux.Put("/v1/panels/{panel}/months/{month}", panels{s, newLimiter(1, mostWaiting)}.put)
	control := cmp.Or(s.Access, new(access.Control))
	mux.Get(access.SessionPath, plain(control.GetSession))
	mux.Post(access.SessionPath, plain(control.PostSession))
	mux.Delete(access.SessionPath, plain(control.DeleteSession))
	mux.Get(access.OIDCLoginPath, control.LoginOIDC)
	mux.Get(access.OIDCCallbackPath, control.CallbackOIDC)
	if s.Collector != nil {
		for _, path := range access.EventPaths() {
			mux.Method(http.MethodPost, path, s.Collector)
		}
	}
	if s.Metrics != nil {
		mux.Method(http.MethodGet, "/metrics", s.Metrics)
	}
	if s.Assistants {
		mux.Method(http.MethodPost, mcp.Path, mcp.Handler(mux, s.Version, s.Logger))
	}
	mux.Get("/v1/reports/{report}", panelReports{s}.getUnknown)
	for _, path := range []string{openapi.PagePath, openapi.PagePath + "/*"} {
		mux.Method(http.MethodGet, path, files(openapi.Page()))
	}
	described := humachi.New(mux, config(s.Version))
	described.UseMiddleware(markets{s}.onlySeen())
	s.operations(described)
	openapi.Complete(described.OpenAPI())
	return mux
}

// plain refuses parameters for a route that has none.
func plain(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if faults := problem.Parameters(r.URL.RawQuery); len(faults) > 0 {
			problem.Invalid(faults).Write(w)
			return
		}
		next(w, r)
	}
}

// pagePaths are those of the page: it has no figure in it, and needs no key.
func pagePaths() []string { return []string{"/", "/accounts", "/assets/*"} }

// operations are the routes that huma serves.
func (s *Server) operations(api huma.API) {
	s.dimensions(api)
	s.figures(api)
	s.changes(api)
}

// dimensions are what figures are told apart by.
func (s *Server) dimensions(api huma.API) {
	huma.Register(api, get("/v1/markets", "Markets"), markets{s}.get)
	huma.Register(api, get("/v1/markets/{market}", "A market"), markets{s}.getOne)
	huma.Register(api, makes("/v1/markets", "Add or change a market"), markets{s}.post)
	huma.Register(api, get("/v1/services", "Services of the catalogue"), s.getServices)
	huma.Register(api, get("/v1/services/{service}", "A service"), dictionary{s}.getService)
	huma.Register(api, makes("/v1/services", "Add or change a service"), s.postService)
	huma.Register(api, get("/v1/segments", "Segments of the catalogue, and those that facts have without a name"), segments{s}.get)
	huma.Register(api, get("/v1/segments/{segment}", "A segment"), segments{s}.getOne)
	huma.Register(api, makes("/v1/segments", "Name a segment, or merge it into another"), segments{s}.post)
	huma.Register(api, get("/v1/panels", "Panels"), panels{Server: s}.getAll)
	huma.Register(api, get("/v1/panels/{panel}/months/{month}", "The roster and the universe that a month has"), panels{Server: s}.get)
	huma.Register(api, get("/v1/months", "Months that have a roster or a version"), months{s}.getAll)
	huma.Register(api, get("/v1/metrics", "Columns of the reports and the census, with their units and definitions"), dictionary{s}.getMetrics)
	huma.Register(api, get("/v1/targets", "Saved targets"), s.getTargets)
	huma.Register(api, get("/v1/targets/{target}", "A saved target"), savedTargets{s}.getOne)
	huma.Register(api, makes("/v1/targets", "Save a target"), savedTargets{s}.post)
}

// figures are the reports, and the versions that they are of.
func (s *Server) figures(api huma.API) {
	const version = "/v1/publications/{market}/{panel}/{month}/{version}"
	for _, r := range openapi.Reports() {
		huma.Register(api, get("/v1/reports/"+r.Name, r.Summary), panelReports{s}.get(r.Name))
	}
	huma.Register(api, get("/v1/reports/markets", "One service in every market whose month is published"), panelReports{s}.getMarkets)
	huma.Register(api, get("/v1/census", "Unique accounts of services, by union of sketches"), s.getCensus)
	huma.Register(api, get("/v1/census/months", "Months that a market has a census of"), s.getCensusMonths)
	huma.Register(api, get("/v1/census/nodeinfo", "Active accounts of a service, in the form of NodeInfo 2.1's usage"), s.getNodeInfo)
	huma.Register(api, get("/v1/publications", "Published versions"), s.getPublications)
	huma.Register(api, makes("/v1/publications", "Close a month: publish its next version, or give the version there is where nothing has changed since"), s.postPublication)
	huma.Register(api, get(version, "A published version"), months{s}.getPublication)
	huma.Register(api, get(version+"/diff/{other}", "Two versions, cell by cell"), s.getDiff)
	huma.Register(api, get(version+"/workbook.xlsx", "All reports of a version as a workbook"), months{s}.getWorkbook)
	huma.Register(api, get(version+"/folder.zip", "All reports of a version in every form"), months{s}.getFolder)
	huma.Register(api, get(version+"/replicates.parquet", "The weights of a version's panelists, and those of samples drawn from them"), replicates{s}.getWeights)
	huma.Register(api, get(version+"/uses.parquet", "What a version's panelists did, by service, place and credit"), replicates{s}.getUses)
	huma.Register(api, get(version+"/withheld", "How many figures of a version's reports are withheld, and why"), months{s}.getWithheld)
	huma.Register(api, get(version+"/verify", "Compute a version's hashes again"), s.getVerify)
	huma.Register(api, post(version+"/withdraw", "Withdraw a version that was published wrong"), s.postWithdrawal)
}

// changes are what is done to the facts and the process, and what it says of
// itself.
func (s *Server) changes(api huma.API) {
	huma.Register(api, post("/v1/panels/{panel}/limits", "Say under how many persons a panel's figures are withheld or flagged, from the next close on"), panelLimits{s}.post)
	huma.Register(api, get("/v1/exclusions", "What of a month must not count, and why"), exclusions{s}.get)
	huma.Register(api, makes("/v1/exclusions", "Record what must not count, and why"), exclusions{s}.post)
	huma.Register(api, post("/v1/erasures", "Erase a panelist from every month that is not final"), s.postErasure)
	huma.Register(api, get("/v1/census/corrections", "What was removed from a market's census, and the days on which a collector was down"), corrections{s}.get)
	huma.Register(api, makes("/v1/census/removals", "Remove days of a service that were loaded wrong"), corrections{s}.postRemoval)
	huma.Register(api, post("/v1/census/erasures", "Take an account out of the sets of a service that is counted exactly"), corrections{s}.postErasure)
	huma.Register(api, makes("/v1/census/marks", "Mark days on which a collector was down"), corrections{s}.postMark)
	huma.Register(api, remove("/v1/census/marks", "Lift the marks of some days"), corrections{s}.deleteMark)
	huma.Register(api, post("/v1/backup", "Copy the store into the data folder, or to the caller"), s.postBackup)
	huma.Register(api, post("/v1/store/check", "Read the whole store, and name what is damaged"), storeChecks{s}.post)
	huma.Register(api, get("/v1/master-keys", "The master keys of the pseudonyms, by their hashes"), masterKeys{s}.get)
	huma.Register(api, post("/v1/master-keys/rotate", "Begin a new master key on a day to come"), masterKeys{s}.post)
	huma.Register(api, post("/v1/log/settle", "Wait until the store has all that the log holds"), s.postSettle)
	huma.Register(api, post("/v1/rejected/replay", "Append what was refused and is valid now to the log"), s.postRejected)
	huma.Register(api, post("/v1/log/replay", "Fold a part of the log again"), s.postReplay)
	huma.Register(api, post("/v1/log/acknowledge", "Take note of what the embedded log has lost"), s.postAcknowledge)
	huma.Register(api, get("/v1/audit", "Who did what, and when"), audits{s}.get)
	huma.Register(api, get("/v1/version", "The software's version"), s.getVersion)
}

// DefaultCacheBytes is Server.CacheBytes' default.
const DefaultCacheBytes = 32 << 20

// maxBody bounds every body; the collector bounds its own further.
const maxBody = 256 << 20

func config(version string) huma.Config {
	c := openapi.Config(version)
	c.Formats, c.Transformers = formats(), []huma.Transformer{asProblem}
	return c
}

func get(path, summary string) huma.Operation {
	return huma.Operation{OperationID: operationID("get", path), Method: http.MethodGet, Path: path, Summary: summary}
}

func post(path, summary string) huma.Operation {
	return huma.Operation{OperationID: operationID("post", path), Method: http.MethodPost, Path: path, Summary: summary, DefaultStatus: http.StatusOK}
}

func remove(path, summary string) huma.Operation {
	return huma.Operation{OperationID: operationID("delete", path), Method: http.MethodDelete, Path: path, Summary: summary, DefaultStatus: http.StatusOK}
}

// makes is a POST of what then has an address of its own.
func makes(path, summary string) huma.Operation {
	op := post(path, summary)
	op.DefaultStatus = http.StatusCreated
	return op
}

// headers says what no page of ours needs.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", problem.Policy)
		next.ServeHTTP(w, r)
	})
}

// operationID names an operation for OpenAPI: get-v1-reports-report.
func operationID(method, path string) string {
	return method + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
}
