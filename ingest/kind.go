package ingest

import (
	"strings"
	"unicode"

	"rollcall"
)

// KindOfName tells an event's kind from the name that its application gave it, by
// its last two words or its last one: "Signed In", "IM Session Started",
// "im.session.ended", "messageSent". ok is false where the name says nothing of it.
func KindOfName(name string) (kind rollcall.Kind, ok bool) {
	const most = 200 // longer ones are no names
	if name == "" || len(name) > most {
		return 0, false
	}
	words := wordsOf(name)
	if n := len(words); n > 1 {
		if kind, ok = kindsByName[words[n-2]+" "+words[n-1]]; ok {
			return kind, true
		}
	}
	if len(words) > 0 {
		kind, ok = kindsByName[words[len(words)-1]]
	}
	return kind, ok
}

// kindsByName are the names that applications give; docs/collectors.md lists them.
var kindsByName = map[string]rollcall.Kind{
	"login": rollcall.Login, "signin": rollcall.Login, "logon": rollcall.Login, "signon": rollcall.Login,
	"logged in": rollcall.Login, "signed in": rollcall.Login, "logged on": rollcall.Login, "signed on": rollcall.Login,
	"log in": rollcall.Login, "sign in": rollcall.Login, "log on": rollcall.Login, "sign on": rollcall.Login,

	"presence": rollcall.Presence, "online": rollcall.Presence, "heartbeat": rollcall.Presence,
	"session started": rollcall.Presence, "session start": rollcall.Presence,
	"application opened": rollcall.Presence, "app opened": rollcall.Presence,

	"use": rollcall.Use, "message sent": rollcall.Use, "sent message": rollcall.Use,

	"logout": rollcall.Logout, "signout": rollcall.Logout, "logoff": rollcall.Logout, "signoff": rollcall.Logout,
	"logged out": rollcall.Logout, "signed out": rollcall.Logout, "logged off": rollcall.Logout, "signed off": rollcall.Logout,
	"log out": rollcall.Logout, "sign out": rollcall.Logout, "log off": rollcall.Logout, "sign off": rollcall.Logout,
	"session ended": rollcall.Logout, "session end": rollcall.Logout,

	"login failed": rollcall.LoginFailed, "signin failed": rollcall.LoginFailed, "in failed": rollcall.LoginFailed,
	"login refused": rollcall.LoginFailed, "login rejected": rollcall.LoginFailed,
}

// wordsOf gives a name's words in lower case: what stands between other signs than
// letters and digits, and in messageSent before each capital.
func wordsOf(name string) []string {
	var b strings.Builder
	var before rune
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(before) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
		before = r
	}
	return strings.FieldsFunc(b.String(), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
