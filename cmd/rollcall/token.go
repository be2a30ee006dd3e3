package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"rollcall/api"
	"rollcall/internal/server"
)

type tokenCmd struct {
	New    tokenNewCmd    `cmd:"" help:"Make an API key and print it, once."`
	List   tokenListCmd   `cmd:"" help:"List the API keys; the keys themselves are not kept."`
	Revoke tokenRevokeCmd `cmd:"" help:"Revoke an API key; a running server takes note at once."`
}

// tokens says which file holds the API keys.
type tokens struct {
	Data   string `help:"The data folder; the keys are in its file tokens." default:"rollcall-data" type:"path" placeholder:"DIR"`
	Tokens string `help:"File of the API keys instead." type:"path" placeholder:"FILE"`
}

func (t *tokens) path() string {
	if t.Tokens != "" {
		return t.Tokens
	}
	return server.TokensPath(t.Data)
}

type tokenNewCmd struct {
	Name string   `required:"" help:"Whose key it is."`
	Role api.Role `required:"" enum:"read,ingest,publish,admin" help:"read, ingest, publish or admin."`
	tokens
}

// Run makes a key.
func (c *tokenNewCmd) Run(_ context.Context, s *streams) error {
	_, key, err := api.NewToken(c.path(), c.Name, c.Role, time.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, key)
	return err
}

type tokenListCmd struct{ tokens }

// Run lists the keys.
func (c *tokenListCmd) Run(_ context.Context, s *streams) error {
	keys, err := api.OpenKeyring(c.path())
	if err != nil {
		return err
	}
	list, err := keys.Tokens()
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tNAME\tROLE\tCREATED")
	for _, t := range list {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Role, t.Created.Format(time.RFC3339))
	}
	return out.Flush()
}

type tokenRevokeCmd struct {
	ID string `arg:"" help:"The key's id, as list prints it."`
	tokens
}

// Run revokes the key.
func (c *tokenRevokeCmd) Run(context.Context, *streams) error {
	return api.RevokeToken(c.path(), c.ID)
}
