package mcp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"rollcall/internal/problem"
)

// Path is where the endpoint is.
const Path = "/mcp"

// mostAsked bounds what one message may have.
const mostAsked = 64 << 10

const instructions = "Figures of the audience of messaging services. ranking, trend and compare are estimates from a panel of persons; census counts accounts, not persons. " +
	"Every figure has a unit and an interval: never tell a figure without its interval, nor one that is withheld. " +
	"method says which markets, panels, months and services there are, and what each column means: ask it first."

// Handler serves POST /mcp from the routes of the API. No session is held: each
// message is answered by itself, so that servers may stand side by side.
func Handler(routes http.Handler, version string, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := oneMessage(w, r); err != nil {
			refuse(w, err)
			return
		}
		server := sdk.NewServer(&sdk.Implementation{Name: "rollcall", Version: version}, &sdk.ServerOptions{
			Instructions: instructions, Capabilities: &sdk.ServerCapabilities{Tools: new(sdk.ToolCapabilities)},
		})
		asker := asker{routes: routes, request: r, log: log}
		for _, t := range tools() {
			server.AddTool(t.described(), func(_ context.Context, call *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
				return t.call(asker, call.Params.Arguments), nil
			})
		}
		// The listener's guard has judged Host and Origin by what it is publicly known under.
		options := &sdk.StreamableHTTPOptions{Stateless: true, JSONResponse: true, DisableLocalhostProtection: true, MaxRequestBodyBytes: mostAsked}
		sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, options).ServeHTTP(w, r)
	})
}

var errMany = errors.New("several messages in one request are not taken: send one at a time")

// oneMessage refuses a batch: each of its calls would be work and an answer.
func oneMessage(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostAsked))
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		return errMany
	}
	return nil
}

// refuse says why a request is not even read.
func refuse(w http.ResponseWriter, err error) {
	switch tooLong := new(http.MaxBytesError); {
	case errors.Is(err, errMany):
		problem.Write(w, http.StatusBadRequest, err.Error())
	case errors.As(err, &tooLong):
		problem.Write(w, http.StatusRequestEntityTooLarge, "a message may have 64 KiB")
	default:
		problem.Write(w, http.StatusBadRequest, "the message did not come whole")
	}
}
