module rollcall/internal/bench/sketch

go 1.26.0

replace rollcall => ../../..

require (
	github.com/axiomhq/hyperloglog v0.3.0
	github.com/influxdata/influxdb v1.12.2
	github.com/retailnext/hllpp v1.0.1-0.20180308014038-101a6d2f8b52
	rollcall v0.0.0-00010101000000-000000000000
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dgryski/go-metro v0.0.0-20250106013310-edb8663e5e33 // indirect
	github.com/kamstrup/intmap v0.5.2 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
