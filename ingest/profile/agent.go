package profile

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v4"

	"rollcall"
	"rollcall/schemas"
)

// agentsName is the file of the built-in agents, beside the profiles.
const agentsName = "agents"

// maxAgents is how many agents are remembered with their platform.
const maxAgents = 10_000

// agents tells the platform from a user agent, by the first pattern that fits.
type agents struct {
	patterns []agentPattern
	known    map[string]rollcall.Platform
}

type agentPattern struct {
	match    *regexp.Regexp
	platform rollcall.Platform
}

func compileAgents(list []Agent) ([]agentPattern, error) {
	patterns := make([]agentPattern, 0, len(list))
	for i, a := range list {
		match, err := regexp.Compile(a.Match)
		if err != nil || a.Match == "" {
			return nil, fmt.Errorf("agents[%d]: match is not a regular expression", i)
		}
		platform, err := rollcall.ParsePlatform(a.Platform)
		if err != nil {
			return nil, fmt.Errorf("agents[%d]: %w", i, err)
		}
		patterns = append(patterns, agentPattern{match, platform})
	}
	return patterns, nil
}

func (p *Profile) newAgents() (*agents, error) {
	text, err := schemas.Sources.ReadFile("sources/" + agentsName + ".yaml")
	if err != nil {
		return nil, err
	}
	var builtin []Agent
	if err := yaml.Load(text, &builtin, yaml.WithKnownFields()); err != nil {
		return nil, fmt.Errorf("agents: %w", err)
	}
	patterns, err := compileAgents(builtin)
	return &agents{slices.Concat(p.agents, patterns), map[string]rollcall.Platform{}}, err
}

// platform gives the platform of an agent; what no pattern fits is other.
func (a *agents) platform(agent string) rollcall.Platform {
	if platform, ok := a.known[agent]; ok {
		return platform
	}
	at := slices.IndexFunc(a.patterns, func(p agentPattern) bool { return p.match.MatchString(agent) })
	platform := rollcall.OtherPlatform
	if at >= 0 {
		platform = a.patterns[at].platform
	}
	if len(a.known) == maxAgents {
		clear(a.known)
	}
	a.known[strings.Clone(agent)] = platform
	return platform
}

// platformOf gives the platform of a row of the table.
func (r *Reader) platformOf(t *Table, row map[string]any) (rollcall.Platform, error) {
	if !t.Platform.empty() {
		name, err := t.Platform.of(row, r.machine)
		if err != nil {
			return 0, fmt.Errorf("platform: %w", err)
		}
		platform, err := rollcall.ParsePlatform(text(name))
		if err != nil {
			return 0, errors.New(t.Platform.said() + "the platform is not computer, phone, tablet, web, other or none")
		}
		return platform, nil
	}
	if t.Agent.empty() {
		return rollcall.NoPlatform, nil
	}
	agent, err := t.Agent.of(row, r.machine)
	if err != nil {
		return 0, fmt.Errorf("agent: %w", err)
	}
	return r.agents.platform(text(agent)), nil
}

// BuiltinPlatforms gives what tells the platform of a user agent by the built-in
// patterns. It is safe for concurrent use.
func BuiltinPlatforms() (func(agent string) rollcall.Platform, error) {
	builtin, err := new(Profile).newAgents()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards builtin, which remembers
	return func(agent string) rollcall.Platform {
		mu.Lock()
		defer mu.Unlock()
		return builtin.platform(agent)
	}, nil
}
