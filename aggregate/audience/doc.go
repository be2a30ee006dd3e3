// Package audience knows who used what, where and when: it goes once through a
// month's frozen diaries and gives every user's days, minutes and sessions. It
// holds people and sums, no wording and no table.
//
//	frozen diaries          roster, universe
//	(diaries.go)            (objects.go)
//	     |                       |
//	     |   exclusions          | weights (package panel)
//	     v                       v
//	   Month ----------------> Sample      who is in tab over a period, and
//	 (month.go)              (sample.go)   what each stands for
//	                             |
//	            +----------------+----------------+
//	            v                                 v
//	  patterns: the services that       pass: minutes united over places,
//	  each person used at home          kinds and midnights; days and
//	  and at work (patterns.go)         sessions counted (pass.go, use.go)
//	            |                                 |
//	            +----------------+----------------+
//	                             v
//	                           View        one credit rule, one place and
//	                         (view.go)     one target (target.go) of it
//	                             |
//	                             v
//	   Measure: estimate, standard error, interval, raw persons, status
//	                       (measure.go)
//
// Patterns answer who: users of a service, of a union, of two at once, of no
// other. The pass answers how much. Both read the same diaries, so that the
// rules of coherence can hold one against the other.
//
// Read set.go and group.go (services by position, and brands and owners of
// them), diaries.go and freeze.go (the frozen form), document.go and objects.go
// (all else that a version names), month.go, demography.go and target.go, then
// sample.go, pass.go, use.go, patterns.go, view.go and measure.go. condition.go
// says what a sample is worth; cache.go bounds what stays in memory.
package audience
