// Package tracker reads the calls of trackers that applications have built in:
// Segment's API, which RudderStack's clients speak too, and PostHog's.
//
// Of a call it takes who (userId), when, and what the application says of the
// event in words that Rollcall knows. Traits, and all other properties and parts
// of the context, are passed over: they go nowhere, nor do they with a call that is
// refused.
//
// Read body.go first (a body into calls), then call.go (a call into an event, or
// why it is none), posthog.go (the same of PostHog's), property.go (what an
// application says of an event), clock.go (when) and device.go (on what).
package tracker
