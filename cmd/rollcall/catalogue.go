package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"rollcall"
	"rollcall/api"
	"rollcall/internal/server"
)

type marketCmd struct {
	Add  marketAddCmd  `cmd:"" help:"Add or change a market."`
	List marketListCmd `cmd:"" help:"List markets."`
}

type marketAddCmd struct {
	ID     string `arg:"" help:"The market's id, such as FR."`
	Zone   string `help:"IANA zone whose calendar its days follow, such as Europe/Paris. It can't be changed once there are facts." required:"" xor:"zone"`
	Rename string `help:"Only give the market this other name." placeholder:"NAME" required:"" xor:"zone"`
	Name   string `help:"Name; the id of a new market where absent."`
	server.Engine
}

// Run adds the market, and says what it is.
func (c *marketAddCmd) Run(ctx context.Context, s *streams) error {
	m := api.MarketChange{Market: c.ID, Name: cmp.Or(c.Rename, c.Name), Zone: c.Zone, Rename: c.Rename != ""}
	if err := c.check(); err != nil {
		return server.UsageError{Err: err}
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		var is rollcall.Market
		done, err := api.set(ctx, "/v1/markets", m, &is)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s: market %s, %s, days of %s\n", done, is.ID, is.Name, is.Zone)
		return err
	})
}

func (c *marketAddCmd) check() error {
	if c.Rename != "" {
		return rollcall.CheckID("market", c.ID)
	}
	if c.Zone == "" {
		return errors.New("--zone or --rename is empty")
	}
	_, err := rollcall.Market{ID: rollcall.MarketID(c.ID), Zone: c.Zone}.Calendar()
	return err
}

type marketListCmd struct{ server.Engine }

// Run lists the markets.
func (c *marketListCmd) Run(ctx context.Context, s *streams) error {
	return printRows(ctx, &c.Engine, s, "/v1/markets", func(m rollcall.Market) string {
		if m.Simulated {
			m.Name += " (simulated)"
		}
		return fmt.Sprintf("%s\t%s\t%s", m.ID, m.Zone, m.Name)
	})
}

type serviceCmd struct {
	Add  serviceAddCmd  `cmd:"" help:"Add or change a service."`
	List serviceListCmd `cmd:"" help:"List services."`
}

type serviceAddCmd struct {
	ID    string  `arg:"" help:"The service's id, such as msn."`
	Name  string  `required:"" help:"Name."`
	Brand *string `help:"Brand; as it was where absent, a new service's is its name."`
	Owner *string `help:"Owner; as it was where absent."`

	Census *string `help:"exact: sets of accounts are kept beside the sketches, and counted without an error. They are personal data. sketch: sketches alone. As it was where absent, a new service's is sketch." enum:"sketch,exact" placeholder:"sketch|exact"`
	Epoch  *string `help:"How long an account keeps its pseudonym: a year, or with none until the key is rotated. It can't be changed once there are facts. As it was where absent, a new service's is a year." enum:"year,none" placeholder:"year|none"`
	server.Engine
}

// change is what the flags say.
func (c *serviceAddCmd) change() rollcall.ServiceChange {
	v := rollcall.ServiceChange{ID: rollcall.ServiceID(c.ID), Name: c.Name, Brand: c.Brand, Owner: c.Owner}
	if c.Census != nil {
		v.Census = new(rollcall.CensusForm)
		if *c.Census == "exact" {
			*v.Census = rollcall.Exactly
		}
	}
	if c.Epoch != nil {
		v.Epoch = new(rollcall.Epoch)
		if *c.Epoch == "none" {
			*v.Epoch = rollcall.NoEpoch
		}
	}
	return v
}

// Run adds the service, and says what it is, and where it is no longer counted exactly.
func (c *serviceAddCmd) Run(ctx context.Context, s *streams) error {
	v := c.change()
	if err := v.Of(rollcall.Service{}).ValidateNew(); err != nil {
		return server.UsageError{Err: err}
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		list, err := rows[rollcall.Service](ctx, api, "/v1/services")
		if err != nil {
			return err
		}
		at := slices.IndexFunc(list, func(has rollcall.Service) bool { return has.ID == v.ID })
		if at < 0 && v.Brand == nil {
			v.Brand = &v.Name
		}
		var is rollcall.Service
		done, err := api.set(ctx, "/v1/services", v, &is)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.out, "%s: service %s, %s\n", done, is.ID, is.Name)
		if at >= 0 && list[at].Census == rollcall.Exactly && is.Census != rollcall.Exactly {
			_, err = fmt.Fprintf(s.out, "service %s was counted exactly: what is loaded from now on is counted by sketches alone\n", is.ID)
		}
		return err
	})
}

type serviceListCmd struct{ server.Engine }

// Run lists the services.
func (c *serviceListCmd) Run(ctx context.Context, s *streams) error {
	return printRows(ctx, &c.Engine, s, "/v1/services", func(v rollcall.Service) string {
		return fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", v.ID, v.Name, cmp.Or(v.Brand, "-"), cmp.Or(v.Owner, "-"), v.Census.Word(), v.Epoch.Word())
	})
}

type segmentCmd struct {
	Add  segmentAddCmd  `cmd:"" help:"Name a segment, or merge it into another."`
	List segmentListCmd `cmd:"" help:"List the segments that have a name, and those that were seen without one."`
}

type segmentAddCmd struct {
	ID   string `arg:"" help:"The segment's id, as events have it."`
	Name string `required:"" help:"Name."`
	Into string `help:"Merge it into this one: its figures are part of that one's, and its id means that one. Without it the segment is merged into none." placeholder:"ID"`
	server.Engine
}

// Run adds the segment, and says what it is.
func (c *segmentAddCmd) Run(ctx context.Context, s *streams) error {
	v := rollcall.Segment{ID: rollcall.SegmentID(c.ID), Name: c.Name, Into: rollcall.SegmentID(c.Into)}
	if err := v.Validate(); err != nil {
		return server.UsageError{Err: err}
	}
	return with(ctx, &c.Engine, s, func(api *client) error {
		var is rollcall.Segment
		done, err := api.set(ctx, "/v1/segments", v, &is)
		if err != nil {
			return err
		}
		into := ""
		if is.Into != "" {
			into = ", merged into " + string(is.Into)
		}
		_, err = fmt.Fprintf(s.out, "%s: segment %s, %s%s\n", done, is.ID, is.Name, into)
		return err
	})
}

type segmentListCmd struct{ server.Engine }

// Run lists the segments.
func (c *segmentListCmd) Run(ctx context.Context, s *streams) error {
	return printRows(ctx, &c.Engine, s, "/v1/segments", func(v rollcall.Segment) string {
		into := "-"
		if v.Into != "" {
			into = "merged into " + string(v.Into)
		}
		return fmt.Sprintf("%s\t%s\t%s", v.ID, cmp.Or(v.Name, "-"), into)
	})
}
