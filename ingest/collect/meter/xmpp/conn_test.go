package xmpp

import (
	"encoding/base64"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"rollcall/ingest/collect/meter/wire"
	"rollcall/ingest/collect/meter/wire/wiretest"
)

var noon = wiretest.Noon()

func hear(t *testing.T, o wire.Opening, why wire.End, talk ...string) ([]string, error) {
	t.Helper()
	return wiretest.Hear(func(s wire.Sink) wiretest.Conn { return Open(s, o) }, why, talk...)
}

var (
	whole = wire.Opening{Start: noon, Whole: [2]bool{true, true}}
	late  = wire.Opening{Start: noon}
)

// linkLocal is the opening of a stream between two machines of one network.
func linkLocal(owner wire.Owner) wire.Opening {
	o := whole
	o.Owner, o.Ends[wire.Server] = owner, netip.MustParseAddrPort("10.0.0.5:5298")
	return o
}

// from is the opening of a stream by somebody's machine.
func from(owner wire.Owner) wire.Opening {
	o := whole
	o.Owner, o.Ends[wire.Server] = owner, netip.MustParseAddrPort("[fe80::5]:5299")
	return o
}

func sasl(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const (
	streamOpen  = `C<?xml version='1.0'?><stream:stream to='Example.org' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>`
	answerOpen  = `S<?xml version='1.0'?><stream:stream from='example.org' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
	bindRequest = `C<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>work</resource></bind></iq>`
	bindAnswer  = `S<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>ann@example.org/work</jid></bind></iq>`
	success     = `S<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>`
	failure     = `S<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>`
)

// reason: a table, a case a conversation.
func TestConversations(t *testing.T) {
	auth := func(mechanism, message string) string {
		return "C<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='" + mechanism + "'>" + sasl(message) + "</auth>"
	}
	in := []string{streamOpen, answerOpen, auth("PLAIN", "\x00Ann\x00secret")}
	accepted := slices.Concat(in, []string{success, streamOpen, answerOpen, bindRequest, bindAnswer, "C<presence/>"})
	for name, test := range map[string]struct {
		opening wire.Opening
		why     wire.End
		talk    []string
		want    []string
	}{
		"PLAIN":                            {whole, wire.Closed, accepted, []string{"login ann@example.org 3", "presence ann@example.org 8-9", "logout ann@example.org 9"}},
		"refused":                          {whole, wire.Closed, append(slices.Clone(in), failure), []string{"login_failed ann@example.org 3"}},
		"given up by the client":           {whole, wire.Closed, slices.Concat(in, []string{"C<abort xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "S<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><aborted/></failure>"}), nil},
		"refused, then given up":           {whole, wire.Closed, slices.Concat(in, []string{failure, in[2], "C<abort/>", "S<failure><aborted/></failure>"}), []string{"login_failed ann@example.org 3"}},
		"given up, then refused":           {whole, wire.Closed, slices.Concat(in, []string{"C<abort/>", "S<failure><aborted/></failure>", in[2], failure}), []string{"login_failed ann@example.org 6"}},
		"refused, and a gap":               {whole, wire.Closed, slices.Concat(in, []string{failure, "g", bindRequest}), nil},
		"refused twice":                    {whole, wire.Cut, slices.Concat(in, []string{failure, in[2], failure}), []string{"login_failed ann@example.org 3"}},
		"refused, then let in":             {whole, wire.Closed, slices.Concat(in, []string{failure, in[2], success}), []string{"login ann@example.org 5", "logout ann@example.org 6"}},
		"DIGEST-MD5":                       {whole, wire.Closed, []string{streamOpen + "<auth mechanism='DIGEST-MD5'/>", answerOpen, "S<challenge>" + sasl(`realm="x",nonce="y"`) + "</challenge>", "C<response>" + sasl(`username="Ann",realm="example.org",response=00`) + "</response>", success}, []string{"login ann@example.org 4", "logout ann@example.org 5"}},
		"SCRAM":                            {whole, wire.Closed, []string{streamOpen, auth("SCRAM-SHA-1", "n,,n=An=2Cn,r=nonce"), answerOpen, success}, []string{"login an,n@example.org 3", "logout an,n@example.org 4"}},
		"unknown mechanism, named by bind": {whole, wire.Closed, []string{streamOpen, auth("EXTERNAL", "="), answerOpen, success, bindRequest, bindAnswer}, []string{"login ann@example.org 5", "logout ann@example.org 6"}},
		"iq:auth, as in 2002": {whole, wire.Closed, []string{streamOpen, answerOpen, `C<iq type="set" id="a1"><query xmlns="jabber:iq:auth"><username>ann</username><digest>00</digest><resource>work</resource></query></iq>`,
			`S<iq type="result" id="a1"/>`, `C<presence><status>a &gt; b</status></presence>`}, []string{"login ann@example.org 3", "presence ann@example.org 4-5", "logout ann@example.org 5"}},
		"iq:auth refused": {whole, wire.Closed, []string{streamOpen, answerOpen, `C<iq type="set" id="a1"><query xmlns="jabber:iq:auth"><username>ann</username></query></iq>`, `S<iq type="error" id="a1"><error code="401"/></iq>`}, []string{"login_failed ann@example.org 3"}},
		"iq:auth, asking for its fields, is no sign-on": {whole, wire.Closed, []string{streamOpen, answerOpen, `C<iq type="get" id="a1"><query xmlns="jabber:iq:auth"><username>ann</username></query></iq>`, `S<iq type="result" id="a1"/>`}, nil},
		"registering is no sign-on":                     {whole, wire.Closed, []string{streamOpen, answerOpen, `C<iq type="set" id="a1"><query xmlns="jabber:iq:register"><username>ann</username></query></iq>`, `S<iq type="result" id="a1"/>`}, nil},
		"contacts and messages": {whole, wire.Cut, slices.Concat(accepted, []string{"S<presence from='bob@example.org/x' to='ann@example.org/work'/>", "S<presence from='bob@example.org/x' type='unavailable'/>",
			"C<presence to='forum@muc.example.org/ann'/>", "C<message to='bob@example.org'><body>&lt;/stream:stream> <![CDATA[</stream:stream>]]></body></message>", "S<message from='bob@example.org'><body>hi</body></message>"}),
			[]string{"login ann@example.org 3", "use ann@example.org 12", "presence ann@example.org 8-15"}},
		"away and back": {whole, wire.Closed, slices.Concat(accepted, []string{"C<presence type='unavailable'/>", "C<presence><show>away</show></presence>", "C</stream:stream>"}),
			[]string{"login ann@example.org 3", "presence ann@example.org 8-9", "presence ann@example.org 10-11", "logout ann@example.org 11"}},
		"STARTTLS":                           {whole, wire.Closed, []string{streamOpen + "<starttls/>", answerOpen, "S<proceed/>", "C\x16\x03\x01\x00\x03<<<\x17\x03\x03\x00\x01", "S\x16\x03\x03</x>"}, []string{"presence  2-5"}},
		"STARTTLS, the handshake never over": {whole, wire.Closed, []string{streamOpen + "<starttls/>", answerOpen, "S<proceed/>", "C\x16\x03\x01\x00\x03<<<", "S\x16\x03\x03</x>"}, nil},
		"taken up again":                     {whole, wire.Closed, slices.Concat(in, []string{success, streamOpen, answerOpen, "C<resume previd='1' h='3'/>", "S<resumed previd='1' h='2'/>"}), []string{"login ann@example.org 3", "presence ann@example.org 7-8", "logout ann@example.org 8"}},
		"SASL2, FAST, bind2, taken up again": {whole, wire.Closed, []string{streamOpen, answerOpen, "C<authenticate xmlns='urn:xmpp:sasl:2' mechanism='HT-SHA-256-NONE'><initial-response>" + sasl("ann\x00token") + "</initial-response><fast xmlns='urn:xmpp:fast:0'/></authenticate>",
			"S<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>ann@example.org</authorization-identifier><resumed xmlns='urn:xmpp:sm:3' h='5'/></success>"}, []string{"login ann@example.org 3", "presence ann@example.org 3-4", "logout ann@example.org 4"}},
		"not taken up again, bound": {whole, wire.Closed, slices.Concat(in, []string{success, streamOpen, answerOpen, "C<resume xmlns='urn:xmpp:sm:3' previd='1' h='3'/>", "S<failed xmlns='urn:xmpp:sm:3' h='2'><item-not-found/></failed>", bindRequest, bindAnswer, "C<presence/>"}), []string{"login ann@example.org 3", "presence ann@example.org 10-11", "logout ann@example.org 11"}},
		"SASL2, not taken up again, bound by bind2": {whole, wire.Closed, []string{streamOpen, answerOpen, "C<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>" + sasl("\x00ann\x00secret") + "</initial-response><resume xmlns='urn:xmpp:sm:3' previd='1' h='3'/><bind xmlns='urn:xmpp:bind:0'/></authenticate>",
			"S<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>ann@example.org/work</authorization-identifier><failed xmlns='urn:xmpp:sm:3'><item-not-found/></failed><bound xmlns='urn:xmpp:bind:0'/></success>", "C<presence/>"}, []string{"login ann@example.org 3", "presence ann@example.org 4-5", "logout ann@example.org 5"}},
		"SASL2, refused": {whole, wire.Closed, []string{streamOpen, answerOpen, "C<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'><initial-response>" + sasl("\x00ann\x00secret") + "</initial-response></authenticate>", "S<failure xmlns='urn:xmpp:sasl:2'><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/></failure>"}, []string{"login_failed ann@example.org 3"}},
		"by a certificate, taken up again": {whole, wire.Closed, []string{streamOpen, auth("EXTERNAL", "="), answerOpen, success, streamOpen, answerOpen, "C<resume previd='1' h='3'/>", "S<resumed previd='1' h='2'/>", "S<message to='ann@example.org/work' from='bob@example.org'><body>hi</body></message>"},
			[]string{"login ann@example.org 3", "presence ann@example.org 7-9", "logout ann@example.org 9"}},
		"zlib refused before the sign-on":   {whole, wire.Closed, []string{streamOpen, answerOpen, "C<compress xmlns='http://jabber.org/protocol/compress'><method>lzw</method></compress>", "S<failure xmlns='http://jabber.org/protocol/compress'><unsupported-method/></failure>"}, nil},
		"available by that word":            {whole, wire.Closed, append(slices.Clone(accepted[:len(accepted)-1]), "C<presence type='available'/>"), []string{"login ann@example.org 3", "presence ann@example.org 8-9", "logout ann@example.org 9"}},
		"no presence of the user's":         {whole, wire.Closed, append(slices.Clone(accepted[:len(accepted)-1]), "C<presence type='probe'/>", "C<presence to='bob@example.org' type='subscribed'/>", "C<presence type='error'/>"), []string{"login ann@example.org 3", "logout ann@example.org 11"}},
		"invisible by command":              {whole, wire.Closed, append(slices.Clone(accepted[:len(accepted)-1]), "C<iq type='set' id='i'><invisible xmlns='urn:xmpp:invisible:0'/></iq>", "S<iq type='result' id='i'/>"), []string{"login ann@example.org 3", "presence ann@example.org 9-10", "logout ann@example.org 10"}},
		"invisible by a list, then present": {whole, wire.Closed, append(slices.Clone(accepted[:len(accepted)-1]), "C<iq type='set' id='i'><query xmlns='jabber:iq:privacy'><active name='invisible'/></query></iq>", "S<iq type='result' id='i'/>", "C<presence/>"), []string{"login ann@example.org 3", "presence ann@example.org 10-11", "logout ann@example.org 11"}},
		"sent by itself": {whole, wire.Cut, append(slices.Clone(accepted), "C<message to='bob@example.org'><composing xmlns='http://jabber.org/protocol/chatstates'/></message>", "C<message to='bob@example.org'><received xmlns='urn:xmpp:receipts' id='1'/></message>",
			"C<message to='bob@example.org'><displayed xmlns='urn:xmpp:chat-markers:0' id='1'/></message>", "S<message><sent xmlns='urn:xmpp:carbons:2'><forwarded><message><body>hi</body></message></forwarded></sent></message>", "S<message><result xmlns='urn:xmpp:mam:2'><forwarded><message><body>hi</body></message></forwarded></result></message>",
			"C<iq type='set' id='s'><si xmlns='http://jabber.org/protocol/si'><file name='a'><desc/></file></si></iq>", "C<message to='bob@example.org'><body/></message>"), []string{"login ann@example.org 3", "presence ann@example.org 8-17"}},
		"a contact's, on another port, behind STARTTLS": {from(wire.Others), wire.Closed, []string{streamOpen + "<starttls/>", answerOpen, "S<proceed/>", "C\x16\x03\x01\x00\x03<<<\x17\x03\x03\x00\x01", "S\x16\x03\x03</x>"}, nil},
		"a contact's, on another port":                  {from(wire.Others), wire.Closed, []string{streamOpen, answerOpen, "C<message><body>lunch?</body></message>", "S<message><body>yes</body></message>"}, nil},
		"invisible":                                     {whole, wire.Closed, append(slices.Clone(accepted[:len(accepted)-1]), "C<presence type='invisible'/>"), []string{"login ann@example.org 3", "presence ann@example.org 8-9", "logout ann@example.org 9"}},
		"a bounce":                                      {whole, wire.Cut, append(slices.Clone(accepted), "C<message type='error' to='bob@example.org'><body>hi</body><error/></message>"), []string{"login ann@example.org 3", "presence ann@example.org 8-11"}},
		"any prefix":                                    {whole, wire.Closed, []string{"C<s:stream to='example.org' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>", answerOpen, auth("PLAIN", "\x00Ann\x00secret"), "S<a:success/>"}, []string{"login ann@example.org 3", "logout ann@example.org 4"}},
		"a long tag and deep ones": {whole, wire.Cut, slices.Concat(accepted, []string{"C<iq id='" + strings.Repeat("x", 2*tagMost) + "'><photo/></iq>", "C" + strings.Repeat("<a>", 2*depthMost) + strings.Repeat("</a>", 2*depthMost), "C<message><body>hi</body></message>"}),
			[]string{"login ann@example.org 3", "use ann@example.org 11", "presence ann@example.org 8-13"}},
		"a gap in mid-login":                 {whole, wire.Closed, append(slices.Clone(in), "g", "S<stream:features/>"), nil},
		"a gap in the sign-on, and stanzas":  {whole, wire.Closed, append(slices.Clone(in), "g", "S<iq type='result' id='r' to='ann@example.org/work'><query xmlns='jabber:iq:roster'/></iq>", "C<presence/>", "C<message to='bob@example.org'><body>hi</body></message>", "C<presence type='unavailable'/>", "C<presence/>"), []string{"use ann@example.org 6", "presence ann@example.org 4-7", "presence ann@example.org 8-9", "logout ann@example.org 9"}},
		"a gap in the sign-on, and the bind": {whole, wire.Closed, append(slices.Clone(in), "g", bindRequest, bindAnswer, "C<presence/>"), []string{"login ann@example.org 5", "presence ann@example.org 6-7", "logout ann@example.org 7"}},
		"a gap in a refused sign-on":         {whole, wire.Closed, []string{streamOpen, answerOpen, "g", "S<iq type='error' id='a' to='ann@example.org/work'><error code='401'/></iq>"}, nil},
		"closed in mid-login":                {whole, wire.Closed, in, nil},
		"a machine of the network":           {linkLocal(wire.Anybody), wire.Closed, []string{streamOpen, answerOpen, "C<message><body>lunch?</body></message>"}, nil},
		"a contact's":                        {linkLocal(wire.Others), wire.Closed, []string{streamOpen, answerOpen, "C<message><body>lunch?</body></message>"}, nil},
		"to a contact":                       {linkLocal(wire.Ours), wire.Closed, []string{strings.Replace(streamOpen, "to=", "from='ann@desk' to=", 1), answerOpen, "C<message><body>lunch?</body></message>"}, []string{"use ann@desk 2"}},
		"STARTTLS refused, in clear":         {whole, wire.Closed, slices.Concat([]string{streamOpen, "C<starttls/>", answerOpen + "<failure/>"}, accepted[2:4]), []string{"login ann@example.org 4", "logout ann@example.org 5"}},
		"already open, and refused":          {late, wire.Closed, []string{"S<iq type='error' to='ann@example.org/work' id='7'/>"}, nil},
		"already open":                       {late, wire.Closed, []string{"S<iq type='result' to='Ann@example.org/work' id='7'/>", "C<presence/>"}, []string{"presence ann@example.org 0-2", "logout ann@example.org 2"}},
	} {
		got, err := hear(t, test.opening, test.why, test.talk...)
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, want %q: %v", name, got, test.want, err)
		}
	}
}

func TestMalformed(t *testing.T) {
	for _, test := range []struct {
		data string
		want error
	}{
		{"<a></b>", errNest},
		{"</a>", errNest},
		{"<a " + strings.Repeat("x", tagMost), nil},
		{strings.Repeat("<a>", depthMost+1), nil},
		{"<stream><auth mechanism='PLAIN'>!!!</auth><auth mechanism=PLAIN>" + strings.Repeat("A", 2*textMost) + "</auth>", nil},
		{"<stream><iq to=></iq><iq to></iq><iq to='></iq>", nil},
		{"<><!-- c --><?x?><! ><stream><![CDATA[]]]]><a/>", nil},
	} {
		for _, side := range []string{"C", "S"} {
			if got, err := hear(t, whole, wire.Closed, side+test.data); !errors.Is(err, test.want) || len(got) > 0 {
				t.Errorf("%q: got %v, want %v; %q", test.data[:min(len(test.data), 40)], err, test.want, got)
			}
		}
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		head  string
		whole bool
		want  wire.Verdict
	}{
		{streamOpen[1:], true, wire.Yes}, {streamOpen[1:30], true, wire.More}, {"", true, wire.More}, {"<?xml version='1.0'?><rss>", true, wire.No}, {"<html>", true, wire.No},
		{strings.Replace(streamOpen[1:], "jabber:client", "jabber:server", 1), true, wire.No},
		{" <presence/>", false, wire.Yes}, {"<iq type='get'>", false, wire.Yes}, {"<pre", false, wire.More}, {"<html>", false, wire.No},
	} {
		if got := Match([]byte(test.head), test.whole); got != test.want {
			t.Errorf("%q: got %d, want %d", test.head, got, test.want)
		}
	}
}

func FuzzConn(f *testing.F) {
	in := []string{streamOpen, answerOpen, "C<auth mechanism='PLAIN'>" + sasl("\x00Ann\x00secret") + "</auth>"}
	wiretest.Fuzz(f, func(s wire.Sink, o wire.Opening) wiretest.Conn { return Open(s, o) },
		slices.Concat(in, []string{success, streamOpen, answerOpen, bindRequest, bindAnswer, "C<presence/>", "G", "C<message><body>hi</body></message>", "S</stream:stream>"}),
		slices.Concat(in, []string{failure}), slices.Concat(in, []string{success, "C<resume previd='1' h='3'/>", "S<resumed previd='1' h='2'/>"}),
		[]string{streamOpen + "<starttls/>", answerOpen, "S<proceed/>", "C\x16\x03\x01\x00\x03<<<\x17\x03\x03\x00\x01"},
		slices.Concat(in, []string{success, "C<compress><method>zlib</method></compress>", "S<compressed/>", "C\x78\x9c\xb3)(J-N\xcdK\x04\x00\x0f"}))
}

// FuzzFramed is FuzzConn for elements that stand for themselves.
func FuzzFramed(f *testing.F) {
	wiretest.Fuzz(f, func(s wire.Sink, o wire.Opening) wiretest.Conn { return OpenFramed(s, o) },
		[]string{"C<open to='jab.example'/>", "S<open/>", "C<auth mechanism='PLAIN'>" + sasl("\x00Ann\x00secret") + "</auth>", success, "C<presence/>", "C<close/>"})
}
