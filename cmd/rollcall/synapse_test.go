package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" // what Synapse asks for
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/test/engines"
)

// The agents of programs that people have, by the platform that each is.
var matrixAgents = map[string]string{
	"phone":    "Element/1.12 (Pixel 9; Android 16)",
	"tablet":   "Element/1.12 (iPad Air; iPadOS 19)",
	"computer": "Mozilla/5.0 (X11; Linux x86_64) Electron/39.0 Element/1.12",
	"web":      "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
	"other":    "curl/8.5.0",
}

// homeserver is a Synapse whose users do what the test says, and what they did.
type homeserver struct {
	*testing.T
	*engines.SynapseServer
	day    int
	visits []map[string]map[string]bool // of each day, the accounts by platform
	did    map[string]int               // as its log should say
}

// device is a login.
type device struct{ user, agent, platform, token string }

// ask sends a request by a device, and gives the answer's status and members.
func (h *homeserver) ask(method, path string, by device, body map[string]any) (int, map[string]any) {
	h.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		h.Fatal(err)
	}
	var content io.Reader = http.NoBody
	if body != nil {
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(h.Context(), method, h.URL+path, content)
	if err != nil {
		h.Fatal(err)
	}
	r.Header.Set("User-Agent", by.agent)
	if by.token != "" {
		r.Header.Set("Authorization", "Bearer "+by.token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		h.Fatal(err)
	}
	defer answer.Body.Close()
	var members map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&members); err != nil {
		h.Fatalf("%s %s: %v", method, path, err)
	}
	return answer.StatusCode, members
}

// must is ask where nothing but 200 will do.
func (h *homeserver) must(method, path string, by device, body map[string]any) map[string]any {
	h.Helper()
	status, answer := h.ask(method, path, by, body)
	if status != http.StatusOK {
		h.Fatalf("%s %s: %d %v", method, path, status, answer)
	}
	return answer
}

// register makes an account, as register_new_matrix_user does. kind is "", bot or support.
func (h *homeserver) register(user, kind string, admin bool) {
	h.Helper()
	script := device{agent: "python-requests/2"}
	nonce := h.must(http.MethodGet, "/_synapse/admin/v1/register", script, nil)["nonce"]
	role := map[bool]string{true: "admin", false: "notadmin"}[admin]
	signed := []string{nonce.(string), user, "pw" + user, role}
	body := map[string]any{"nonce": nonce, "username": user, "password": "pw" + user, "admin": admin}
	if kind != "" {
		signed = append(signed, kind)
		body["user_type"] = kind
	}
	mac := hmac.New(sha1.New, []byte(h.Secret))
	io.WriteString(mac, strings.Join(signed, "\x00"))
	body["mac"] = hex.EncodeToString(mac.Sum(nil))
	h.must(http.MethodPost, "/_synapse/admin/v1/register", script, body)
}

// login lets a user in on a new device.
func (h *homeserver) login(user, platform string) device {
	h.Helper()
	d := device{user: user, agent: matrixAgents[platform], platform: platform}
	d.token = h.must(http.MethodPost, "/_matrix/client/v3/login", d, password(user, "pw"+user))["access_token"].(string)
	h.did["login "+platform]++
	return d
}

func (h *homeserver) refused(user, platform string) {
	h.Helper()
	status, _ := h.ask(http.MethodPost, "/_matrix/client/v3/login", device{agent: matrixAgents[platform]}, password(user, "wrong"))
	if status != http.StatusForbidden {
		h.Fatalf("%s with a wrong password: %d", user, status)
	}
	h.did["login_failed "+platform]++
}

func password(user, word string) map[string]any {
	return map[string]any{"type": "m.login.password", "password": word, "identifier": map[string]any{"type": "m.id.user", "user": user}}
}

// sync is what a client does all the time.
func (h *homeserver) sync(d device) {
	h.Helper()
	h.must(http.MethodGet, "/_matrix/client/v3/sync?timeout=0", d, nil)
	h.did["presence "+d.user] = 1
	h.seen(d)
}

// seen notes a visit, which a bot's is not, nor a guest's.
func (h *homeserver) seen(d device) {
	if d.user == "robot" || d.user == "1" {
		return
	}
	today := h.visits[h.day]
	if today[d.platform] == nil {
		today[d.platform] = map[string]bool{}
	}
	today[d.platform][d.user] = true
}

func (h *homeserver) send(d device, text string) {
	h.Helper()
	in := h.must(http.MethodPost, "/_matrix/client/v3/createRoom", d, map[string]any{})["room_id"].(string)
	h.must(http.MethodPut, "/_matrix/client/v3/rooms/"+in+"/send/m.room.message/1", d, map[string]any{"msgtype": "m.text", "body": text})
	h.did["use "+d.user]++
	h.did["presence "+d.user] = 1
	h.seen(d)
}

func (h *homeserver) nextDay() {
	h.Helper()
	h.Visit(h.T, 1)
	h.day++
	h.visits = append(h.visits, map[string]map[string]bool{})
}

// live is what happens on the server in three days.
func (h *homeserver) live() {
	for _, user := range []string{"ann", "bob", "cid", "eve"} {
		h.register(user, "", false)
	}
	h.register("root", "", true)
	h.register("robot", "bot", false)
	phone, web := h.login("ann", "phone"), h.login("ann", "web")
	h.sync(phone)
	h.sync(web)
	h.refused("bob", "computer")
	bob, eve := h.login("bob", "computer"), h.login("eve", "web")
	h.send(bob, secret)
	h.sync(eve)
	h.sync(h.login("robot", "other"))
	h.login("cid", "tablet") // and does nothing
	guest := device{user: "1", agent: matrixAgents["web"], platform: "web"}
	guest.token = h.must(http.MethodPost, "/_matrix/client/v3/register?kind=guest", guest, map[string]any{})["access_token"].(string)
	h.sync(guest)
	root := h.login("root", "other") // what only an administrator asks the log's profile passes over
	h.must(http.MethodPost, "/_synapse/admin/v1/deactivate/@eve:x.example", root, map[string]any{"erase": false})
	h.seen(root)
	h.must(http.MethodPost, "/_matrix/client/v3/logout", web, map[string]any{})
	h.did["logout "+web.platform]++
	h.Visit(h.T, 0)
	h.sync(phone) // a second time on the day

	h.nextDay()
	h.sync(phone)
	h.sync(bob)
	h.refused("eve", "web")
	h.sync(h.login("cid", "tablet"))

	h.nextDay()
	// A program with the phone's token: the platform is that of the device's other days.
	h.sync(device{user: "ann", agent: matrixAgents["other"], platform: "phone", token: phone.token})
	h.send(bob, secret)
	h.Visit(h.T, 0)
}

// TestSynapse drives a real Synapse by its API over three days. The table that it
// writes of them and its log, imported, have the figures of what was done.
func TestSynapse(t *testing.T) {
	engines.Long(t, "starts a Synapse")
	const days = 3
	begin := time.Now().UTC().AddDate(0, 0, -days).Truncate(24 * time.Hour).Add(12 * time.Hour) // no day ends meanwhile
	h := &homeserver{T: t, did: map[string]int{}, visits: []map[string]map[string]bool{{}}}
	h.SynapseServer = engines.Synapse(t, begin)
	h.live()
	dir := t.TempDir()
	data, visits, users := filepath.Join(dir, "data"), filepath.Join(dir, "visits.csv"), filepath.Join(dir, "users.csv")
	for path, query := range map[string]string{
		visits: "SELECT * FROM user_daily_visits", users: "SELECT name, user_type, deactivated FROM users",
	} {
		if err := os.WriteFile(path, h.Table(t, query), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rollcallRun(t, "market", "add", "FR", "--zone", "UTC", "--data", data)
	rollcallRun(t, "service", "add", "mychat", "--name", "MyChat", "--census", "exact", "--epoch", "none", "--data", data)
	rollcallRun(t, "events", "load", "--source", "synapse", "--join", "users="+users, "--service", "mychat", "--market", "FR", "--data", data, visits)
	period := []string{"census", "--market", "FR", "--service", "mychat", "--min-accounts", "0", "--format", "json", "--data", data,
		"--from", begin.Format(time.DateOnly), "--to", begin.AddDate(0, 0, days-1).Format(time.DateOnly)}
	want, all := h.daily(begin)
	if got := accountsBy(t, printed(t, append(period, "--by", "day,platform")...)); !maps.Equal(got, want) {
		t.Errorf("by day and platform: %v; want %v", got, want)
	}
	if got := accountsIn(t, printed(t, period...)); got != float64(all) {
		t.Errorf("in all days: %v; want %d", got, all)
	}
	h.Stop()
	if got := logged(t, printed(t, "collect", "logs", "--source", "synapse-log", "--zone", h.Zone, "--dry-run", h.LogFile)); !maps.Equal(got, h.did) {
		t.Errorf("by the log: %v; want %v", got, h.did)
	}
	requireNotIn(t, data, []string{"ann:x", "bob:x", secret})
}

// daily gives how many accounts a census should have, by day and platform, and of
// all days.
func (h *homeserver) daily(begin time.Time) (accounts map[string]float64, all int) {
	accounts, everybody := map[string]float64{}, map[string]bool{}
	for day, platforms := range h.visits {
		for platform, users := range platforms {
			accounts[begin.AddDate(0, 0, day).Format(time.DateOnly)+" "+platform] = float64(len(users))
			maps.Copy(everybody, users)
		}
	}
	return accounts, len(everybody)
}

// accountsBy reads a census by day and platform.
func accountsBy(t *testing.T, census string) map[string]float64 {
	t.Helper()
	var table struct {
		Rows []struct {
			Day      string
			Platform string
			Accounts struct{ Value float64 } `json:"unique_accounts"`
		}
	}
	if err := json.Unmarshal([]byte(census), &table); err != nil {
		t.Fatalf("%v: %s", err, census)
	}
	got := map[string]float64{}
	for _, row := range table.Rows {
		if row.Accounts.Value != 0 {
			got[row.Day+" "+row.Platform] = row.Accounts.Value
		}
	}
	return got
}

// logged gives what a log's sightings tell: logins and refusals by platform, since
// the log has no name there, who sent how often, and who was there at all.
func logged(t *testing.T, sightings string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for line := range strings.Lines(sightings) {
		var s struct{ Kind, Account, Platform string }
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		user := strings.TrimSuffix(strings.TrimPrefix(s.Account, "@"), ":x.example")
		switch s.Kind {
		case "presence":
			got["presence "+user] = 1
		case "use":
			got["use "+user]++
		default:
			got[s.Kind+" "+s.Platform]++
		}
	}
	return got
}
