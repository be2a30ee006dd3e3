package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"rollcall/aggregate/panel"
)

// The relative standard errors of a service's accounts and of how many of them a
// person has.
const (
	accountsRSE  = 0.01
	perPersonRSE = 0.05
)

// readier is how much readier than others the users of the first service are to
// join a panel, where they are.
const readier = 1.4

// calibrating is to which services' census a panel is calibrated: none, the first
// or the first two. Untold, the errors of the census are not told to the estimates.
type calibrating struct {
	services int
	untold   bool
}

// census is what the services' census says to one panel: off by their errors, of
// which that of accounts a person is the same in both months.
type census struct {
	calibrating
	perPerson [2]float64    // errors, by service
	accounts  [2][2]float64 // errors, by month and service
}

func (c calibrating) draw(rng *rand.Rand) *census {
	out := &census{calibrating: c}
	for s := range out.perPerson {
		out.perPerson[s] = rng.NormFloat64()
		for month := range out.accounts {
			out.accounts[month][s] = rng.NormFloat64()
		}
	}
	return out
}

// users gives the margins of users of a month, 0 or 1, given who of its panel
// uses each service and how many do in truth.
func (c *census) users(month int, using func(s int) panel.Variable, truth func(s int) float64) []panel.Users {
	var out []panel.Users
	for s := range c.services {
		if month == 0 && s > 0 {
			break // of the month before, the first service's use is known
		}
		u := panel.Users{
			Name: fmt.Sprint("users of ", s), At: using(s).At,
			Persons: truth(s) * (1 + accountsRSE*c.accounts[month][s]) / (1 + perPersonRSE*c.perPerson[s]),
			Count:   panel.Input{Name: fmt.Sprint("accounts of ", s, " in ", month), RSE: accountsRSE},
			Divisor: panel.Input{Name: fmt.Sprint("accounts a person of ", s), RSE: perPersonRSE},
		}
		if c.untold {
			u.Count.RSE, u.Divisor.RSE = 0, 0
		}
		out = append(out, u)
	}
	return out
}

// comparison puts the same panels beside each other, calibrated in several ways.
type comparison struct {
	population *population
	panels     int
	seed       uint64
	out        io.Writer
}

// way is a column of a comparison.
type way struct {
	name string
	calibrating
}

// calibrated prints what calibrating repairs and what it doesn't: where the users
// of one service are readier to join, and where it is taste that makes ready.
func (c comparison) calibrated(ctx context.Context, r recruiting) error {
	by := r
	by.use = readier
	fmt.Fprintf(c.out, "\n%d panels; users of the service of 40 %% are %.1f times as ready to join; its accounts have a relative standard error of %.0f %%, the accounts a person one of %.0f %%\n",
		c.panels, readier, 100*accountsRSE, 100*perPersonRSE)
	if _, err := c.beside(ctx, by, way{"alone", calibrating{}}, way{"calibrated, errors untold", calibrating{services: 1, untold: true}}, way{"calibrated", calibrating{services: 1}}); err != nil {
		return err
	}
	by = r
	by.taste = 0.35
	fmt.Fprintf(c.out, "\n%d panels; who joins depends on taste for all services\n", c.panels)
	_, err := c.beside(ctx, by, way{"alone", calibrating{}}, way{"40 % calibrated", calibrating{services: 1}}, way{"40 % and 17 % calibrated", calibrating{services: 2}})
	return err
}

// beside prints the bias and the coverage of each figure in every way.
func (c comparison) beside(ctx context.Context, r recruiting, ways ...way) (results []*result, err error) {
	fmt.Fprintf(c.out, "%-40s %12s", "figure", "truth")
	for _, w := range ways {
		one, err := simulate(ctx, c.population, r, w.calibrating, c.panels, c.seed)
		if err != nil {
			return nil, err
		}
		results = append(results, one)
		fmt.Fprintf(c.out, "  %25s", w.name)
	}
	fmt.Fprintf(c.out, "\n%-40s %12s", "", "")
	for range ways {
		fmt.Fprintf(c.out, "  %25s", "bias  coverage")
	}
	for _, name := range results[0].names {
		fmt.Fprintf(c.out, "\n%-40s %12.2f", name, results[0].scores[name].truth)
		for _, one := range results {
			fmt.Fprintf(c.out, "  %14.1f %% %6.2f %%", one.scores[name].bias(), one.scores[name].coverage())
		}
	}
	fmt.Fprintln(c.out)
	return results, nil
}

// bias is the mean error of a figure's estimates, in percent of the truth.
func (s *score) bias() float64 { return 100 * (s.sum/float64(s.panels) - s.truth) / math.Abs(s.truth) }
