package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"rollcall/internal/problem"
)

// fault turns an error into a problem. What is not one of the known kinds is
// ours to mend: it is logged, and its text does not reach the user.
func (s *Server) fault(op string, err error) *problem.Details {
	d, known := problem.Of(err)
	if !known {
		s.Logger.Error("request failed", "operation", op, "error", err)
	}
	return d
}

// refuse answers with the problem of an error, on a route that huma doesn't serve.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, op string, err error) {
	s.fault(op, err).Locate(func(field string) string {
		switch {
		case chi.URLParam(r, field) != "":
			return inPath
		case r.URL.Query().Has(field):
			return inQuery
		}
		return ""
	}).Write(w)
}

// answerProblem answers with a problem where huma has begun to, or has not been
// asked.
func answerProblem(ctx huma.Context, d *problem.Details) {
	_ = d.Locate(func(field string) string { return placeOf(ctx.Operation(), field) })
	ctx.SetHeader("Content-Type", problem.ContentType)
	ctx.SetStatus(d.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(d) // the client has gone: nobody is left to tell
}

// pathValue is a part of the path as it was meant: chi gives it as it was sent
// where that has an escaped sign.
func pathValue(r *http.Request, name string) string {
	text := chi.URLParam(r, name)
	if meant, err := url.PathUnescape(text); err == nil {
		return meant
	}
	return text
}

// inputFault is a fault that huma finds for us. Its own have no code, so that
// ours goes through it as the value.
type inputFault struct{ *problem.Fault }

// ErrorDetail is what huma takes of it.
func (f inputFault) ErrorDetail() *huma.ErrorDetail {
	return &huma.ErrorDetail{Location: f.Location, Message: f.Message, Value: f.Fault}
}

// asProblem makes every failure a problem of one form, huma's own too, with its
// faults' places.
func asProblem(ctx huma.Context, _ string, v any) (any, error) {
	switch failed := v.(type) {
	case *huma.ErrorModel:
		return ofHuma(failed), nil
	case *problem.Details:
		return failed.Locate(func(field string) string { return placeOf(ctx.Operation(), field) }), nil
	}
	return v, nil
}

// placeOf says where an operation has a field.
func placeOf(op *huma.Operation, field string) string {
	for _, p := range op.Parameters {
		if p.Name == field {
			return p.In
		}
	}
	if op.RequestBody == nil || strings.Contains(field, " ") {
		return ""
	}
	return inBody
}

// ofHuma makes huma's failure a problem. Of a body that can't be read nothing
// more is said.
func ofHuma(failed *huma.ErrorModel) *problem.Details {
	var faults []*problem.Fault
	missing := map[string]bool{}
	for _, e := range failed.Errors {
		f := faultOf(e)
		if missing[f.Location] || failed.Status != http.StatusUnprocessableEntity && strings.HasPrefix(f.Location, inBody+".") {
			continue
		}
		if f.Location == inBody && f.Code == "invalid" {
			f.Code = problem.New(failed.Status, "").Code
		}
		missing[f.Location] = f.Code == codeMissing
		faults = append(faults, f)
	}
	if len(faults) == 0 {
		return problem.New(failed.Status, failed.Detail)
	}
	d := problem.New(failed.Status, problem.Invalid(faults).Detail)
	d.Errors = faults
	return d
}

const codeMissing = "missing"

// faultOf gives a fault that huma found the code of its kind. A body, or a part
// of it that is no plain value, is not sent back: the sender has it, and it may
// name persons.
func faultOf(e *huma.ErrorDetail) *problem.Fault {
	if own, ok := e.Value.(*problem.Fault); ok {
		return own
	}
	f := &problem.Fault{Location: e.Location, Message: e.Message, Code: "invalid"}
	for _, k := range humaKinds {
		if k.message.MatchString(e.Message) {
			f.Code = k.code
			break
		}
	}
	if name := requiredProperty.FindStringSubmatch(e.Message); name != nil {
		f.Location, f.Message = e.Location+"."+name[1], "is missing"
		return f
	}
	f.Message = plainly(e.Message)
	switch e.Value.(type) {
	case string, float64, bool, int, int64:
		if e.Location != inBody && e.Value != "" {
			f.Value = e.Value
		}
	}
	return f
}

var requiredProperty = regexp.MustCompile(`^expected required property (\S+) to be present$`)

// humaKinds are the codes of what huma finds, by its words, first match first.
var humaKinds = []struct {
	message *regexp.Regexp
	code    string
}{
	{regexp.MustCompile(`^required .* is missing$|^expected required property|^expected property .* to be present`), codeMissing},
	{regexp.MustCompile(`^unexpected property$`), "unknown_property"},
	{regexp.MustCompile(`^expected value to be one of`), "not_one_of"},
	{regexp.MustCompile(`^expected number (>|<|to be a multiple)`), "out_of_range"},
	{regexp.MustCompile(`length [<>]=|^expected object with at`), "length"},
	{regexp.MustCompile(`^expected string to (match|be)`), "pattern"},
	{regexp.MustCompile(`^expected |^invalid `), "type"},
}

// plainly says in plain words, which follow the field's name and value, what huma
// says in a validator's.
func plainly(message string) string {
	for _, w := range humaWords {
		if w.message.MatchString(message) {
			return w.message.ReplaceAllString(message, w.words)
		}
	}
	return message
}

var humaWords = []struct {
	message *regexp.Regexp
	words   string
}{
	{regexp.MustCompile(`^required .* is missing$`), "is missing"},
	{regexp.MustCompile(`^unexpected property$`), "is no field of this"},
	{regexp.MustCompile(`^expected number >= (.+)$`), "is under $1"},
	{regexp.MustCompile(`^expected number > (.+)$`), "is not over $1"},
	{regexp.MustCompile(`^expected number <= (.+)$`), "is over $1"},
	{regexp.MustCompile(`^expected number < (.+)$`), "is not under $1"},
	{regexp.MustCompile(`^expected length >= 1$`), "is empty"},
	{regexp.MustCompile(`^expected length >= (.+)$`), "is shorter than $1"},
	{regexp.MustCompile(`^expected length <= (.+)$`), "is longer than $1"},
	{regexp.MustCompile(`^expected array length <= (.+)$`), "has more than $1 items"},
	{regexp.MustCompile(`^expected value to be one of "(.*)"$`), "is not one of $1"},
	{regexp.MustCompile(`^expected string to match pattern \^\[0-9\]\{1,9\}\$$`), "is not a whole number of 0 or more, of 9 digits at most"},
	{regexp.MustCompile(`^expected string to match pattern (.+)$`), "is not of the form $1"},
	{regexp.MustCompile(`^(invalid|expected) integer$`), "is not a whole number"},
	{regexp.MustCompile(`^(invalid float|expected number)$`), "is not a number"},
	{regexp.MustCompile(`^(invalid|expected) boolean$`), "is not true or false"},
	{regexp.MustCompile(`^expected string$`), "is not a text"},
	{regexp.MustCompile(`^expected object$`), "is not an object"},
	{regexp.MustCompile(`^expected array$`), "is not a list"},
}

// located makes what is wrong with values faults of the request at in; none where
// there is no error.
func located(in string, err error) (faults []error) {
	if err == nil {
		return nil
	}
	d, _ := problem.Of(err)
	for _, f := range d.Locate(func(string) string { return in }).Errors {
		faults = append(faults, inputFault{f})
	}
	if faults == nil {
		return []error{err}
	}
	return faults
}

// files has a server of files answer a file that isn't there as any path at which
// nothing is.
func files(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&fileWriter{ResponseWriter: w, request: r}, r)
	})
}

// fileWriter writes that there is nothing in place of a plain 404.
type fileWriter struct {
	http.ResponseWriter
	request *http.Request
	gone    bool
}

// WriteHeader is http.ResponseWriter's.
func (f *fileWriter) WriteHeader(status int) {
	if f.gone = status == http.StatusNotFound; f.gone {
		problem.NothingAt(f.ResponseWriter, f.request)
		return
	}
	f.ResponseWriter.WriteHeader(status)
}

// Write is http.ResponseWriter's.
func (f *fileWriter) Write(b []byte) (int, error) {
	if f.gone {
		return len(b), nil
	}
	return f.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (f *fileWriter) Unwrap() http.ResponseWriter { return f.ResponseWriter }
