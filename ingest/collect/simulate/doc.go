// Package simulate makes the demonstration's markets: France, a panel of 6,000
// persons metered at home and 1,500 at work, 750 of them at both, September
// 2002 to October 2003; and the world of May 2001, a census of one account in a
// thousand. Nobody in them exists. What is real is what they are calibrated to:
// the figures published for October 2002 and October 2003, and the services'
// worldwide users of May 2001.
// Persons live alone or in twos or threes, who are recruited and leave together,
// are of one region and share half of what makes them sociable.
//
// A person's demographics, tastes and habits, and what he does in a month, each
// come from a random stream of their own, seeded by the market's seed, the
// person and the month: they depend on no order of making, and a month can be
// made without those before it.
//
// Calibration. A month's roster is raked to its universe; weights depend on
// nothing else. Each service's users are those in tab with the highest scores
// (lasting taste, demographics, sociability shared by all services, and the
// month's chance), as many as their weights add up to the month's target; one
// exchange near the border then brings the sum to within a few persons. As a
// score mostly lasts, so does use; as sociability is shared, services have
// users in common.
//
// The arithmetic. A month has about 1,100 (2002) to 1,500 (2003) pairs of a
// user and a service, of some 10 sessions of about 3 sightings, and 5,000
// active persons with 2 or 3 sightings of any internet use: 45,000 to 60,000 a
// month, three quarters of a million in all, of 25,000 panelist-days a month.
// The census is a thousandth of the worldwide users of May 2001 in two months:
// 96,000 accounts of 2 sightings each, twice. An account has a usual device and
// a region that last, and is now and then seen on another and in another.
//
// Read calibration.go first (the figures), then universe.go and people.go (the
// persons), audience.go (who uses what in a month), diary.go (when) and
// census.go; stream.go gives all of them their random numbers.
package simulate
