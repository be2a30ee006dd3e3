// Package delivery closes each panel's months by the clock, and tells of it: a
// folder on the disk, webhooks, mails.
//
// What is to be done are errands in the store (rollcall.Delivery): to close a
// month, then to tell each destination of the version, or why there is none.
// A process takes an errand for a while, does it and says how it went; where it
// ends meanwhile, the errand is anybody's when that while is over. So a month is
// closed once, and each destination is told at least once, always under the same
// id.
//
// Read options.go first (what may be asked for), then due.go (which months are
// due), schedule.go (the errands and how they go on), closing.go (the errand
// that closes), message.go (what is told, and under which id), and the
// destinations: folder.go, webhook.go, mail.go with table.go and words.go.
package delivery
