package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"
)

// Edition names one version, in the path.
type Edition struct {
	Market  string `path:"market"`
	Panel   string `path:"panel"`
	Month   string `path:"month"`
	Version int    `path:"version" minimum:"1"`
}

func (e Edition) about() About { return About{Market: e.Market, Panel: e.Panel, Month: e.Month} }

type diffInput struct {
	Edition
	Other  int    `path:"other" minimum:"1"`
	Report string `query:"report" doc:"the report to compare; the rankings at home+work, home and work where absent"`
	Cut
	Format string `query:"format" enum:"json,csv" default:"json"`
}

func (s *Server) getDiff(ctx context.Context, in *diffInput) (*huma.StreamResponse, error) {
	q, err := in.query(in.Report, in.about())
	if err != nil {
		return nil, s.fault("diff", err)
	}
	table, err := s.Publications.Diff(ctx, q, in.Version, in.Other)
	if err != nil {
		return nil, s.fault("diff", err)
	}
	return s.form(table, in.Format), nil
}

func (s *Server) getVerify(ctx context.Context, in *struct{ Edition }) (*struct{}, error) {
	of, err := in.about().panelMonth()
	if err != nil {
		return nil, s.fault("verify", err)
	}
	if err := s.Publications.Verify(ctx, of, in.Version); err != nil {
		return nil, s.fault("verify", err)
	}
	return nil, nil
}

func (s *Server) getTargets(ctx context.Context, _ *struct{}) (*list[Target], error) {
	targets, err := s.Keep.Targets(ctx)
	if err != nil {
		return nil, s.fault("targets", err)
	}
	return listOf(targets), nil
}

func (s *Server) postTarget(ctx context.Context, in *body[Target]) (*body[Target], error) {
	if err := s.Keep.SaveTarget(ctx, in.Body); err != nil {
		return nil, s.fault("save target", err)
	}
	return in, nil
}

type backupInput struct {
	Body struct {
		File string `json:"file" minLength:"1"`
	}
}

func (s *Server) postBackup(ctx context.Context, in *backupInput) (*struct{}, error) {
	if err := s.Keep.Backup(ctx, in.Body.File); err != nil {
		return nil, s.fault("backup", err)
	}
	return nil, nil
}
