// Package sqlite is the store embedded: one file, rollcall.db, that anyone
// with sqlite3 can open and read while Rollcall runs.
//
// Every write is one transaction, on the disk when it returns. One connection
// writes; a small pool reads, each reader from the snapshot of its beginning.
// A full disk gives [rollcall.ErrFull] and leaves the store as it was.
//
// Read store.go first (what a store is and how it opens), then migrate.go (the
// tables), object.go (documents by their hash), merge.go with cell.go and
// diary_merge.go (a flush), dayuses.go (the bytes of a day's diaries), diary.go
// and query.go (reading back). market.go, service.go, panel.go, target.go,
// exclusion.go (with the audit log) and publication.go (with the deliveries)
// hold a noun each; erase.go, ageing.go, backup.go and dump.go remove and hand
// over; damage.go sets aside what can not be read; failure.go names SQLite's
// errors.
package sqlite
