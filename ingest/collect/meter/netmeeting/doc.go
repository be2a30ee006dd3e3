// Package netmeeting reads NetMeeting and Voila Messager: the directory (ILS,
// over LDAP) in which a user is while online, and calls (H.225 over Q.931). What
// is said in a call is elsewhere and is not read; nor are passwords.
//
// Read ber.go first (messages out of bytes), then directory.go, call.go.
package netmeeting
