package pooltest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// court is a World in which everything exists that a bad request could touch.
type court struct {
	*pooltest.World
	*testing.T
	ann, eve, op  pooltest.Someone // ann has the works, eve none
	crowd, bob    pooltest.Someone // worker accounts
	one, other    pooltest.Worker  // of the crowd
	his           pooltest.Worker  // bob's
	batch, staged wire.Accepted
	stored        map[string]int64
}

func newCourt(t *testing.T) *court {
	t.Helper()
	w := pooltest.New(t)
	c := &court{
		World: w, T: t, ann: w.Account(pool.RoleRequester, "ann"), eve: w.Account(pool.RoleRequester, "eve"),
		op: w.Account(pool.RoleOperator, "op"), crowd: w.SharedAccount("crowd"), bob: w.Account(pool.RoleWorker, "bob"),
	}
	c.one, c.other, c.his = w.Worker(c.crowd, "one", 4), w.Worker(c.crowd, "other", 1), w.Worker(c.bob, "his", 1)
	c.batch = w.Submit(c.ann, 2, 0)
	w.Call(c.ann.Token, "POST", "/works", fullSubmission(), "Idempotency-Key", "taken").Into(w, &c.staged)
	w.Dispatch()
	w.Rings()
	c.stored = w.Stored()
	return c
}

// refused makes a request that must be refused with a status, for a field, and
// leave no trace.
func (c *court) refused(why string, answer pooltest.Answer, status int, field string) {
	c.Helper()
	if answer.Status != status || answer.Problem.Field != field || answer.Problem.Detail == "" || answer.Problem.RequestID == "" {
		c.Errorf("%s: %d for %q, want %d for %q: %.300s", why, answer.Status, answer.Problem.Field, status, field, answer.Body)
	}
	if now := c.Stored(); !maps.Equal(c.stored, now) {
		c.Errorf("%s: refused, and yet something was stored: %v, then %v", why, c.stored, now)
		c.stored = now
	}
}

// path gives the path of a route with the id of what it is about.
func (c *court) path(route string) (method, path string) {
	method, path, _ = strings.Cut(route, " ")
	id := c.batch.FirstWork
	switch {
	case strings.HasPrefix(path, "/batches"):
		id = c.staged.Batch
	case strings.HasPrefix(path, "/workers"):
		id = c.one.ID
	}
	return method, strings.NewReplacer("{id}", fmt.Sprint(id), "{worker}", fmt.Sprint(c.one.ID), "{login}", c.ann.Login, "{errand}", string(pool.ErrandRebuild)).Replace(path)
}

var public = []string{"POST /session", "GET /pool", "GET /health", "GET /ipfs/{cid}", "GET /openapi.yaml"}

// private are the routes behind a token, in order.
func private() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(pooltest.Routes)), func(r string) bool { return slices.Contains(public, r) })
}

// bodyOf gives a good body of a route, nil for none.
func bodyOf(route string) any {
	switch route {
	case "POST /works":
		return fullSubmission()
	case "POST /workers":
		return fullRegistration()
	case "POST /workers/{id}/heartbeat":
		return fullHeartbeat()
	case "PUT /requesters/{login}/share":
		return wire.Share{Weight: 2, MaxRunning: 3}
	case "POST /chain/{errand}":
		return wire.AskRebuild{FromBlock: 3}
	case "POST /session":
		return wire.Login{Login: "ann", Password: pooltest.Password}
	case "POST /session/password":
		return wire.ChangePassword{Password: pooltest.Password, New: "eight owls in a garden"}
	case "POST /accounts":
		return wire.NewAccount{Login: "new", Role: "worker", Password: pooltest.Password, UID: "u-1"}
	case "PATCH /accounts/{login}":
		return wire.ChangeAccount{Disabled: new(true), Password: "eight owls in a garden"}
	}
	return nil
}

func fullSubmission() wire.Submission {
	s := pooltest.Submission(2, 3)
	file := func(name string) wire.Input {
		return wire.Input{Name: name, SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(name))), Size: int64(len(name))}
	}
	s.Template.Args, s.Template.Env, s.Template.Inputs = []string{"a"}, map[string]string{"A": "a"}, []wire.Input{file("one")}
	s.Template.Demands = wire.Demands{
		CPU: 1, MemoryMB: 1, DiskMB: 1, GPU: 1, TEE: "sgx", Tags: []string{"a"}, NotTags: []string{"b"}, OS: "linux", Arch: "amd64", MinVersion: "1.2.3",
	}
	s.Template.Category, s.Template.Priority, s.Template.DeadlineS = "S", "low", 1000
	s.Items[0] = wire.Item{Args: []string{"b"}, Env: map[string]string{"B": "b"}, Inputs: []wire.Input{file("two")}}
	return s
}

func fullRegistration() wire.Registration {
	r := pooltest.Registration("new", 2)
	r.Capabilities = wire.Capabilities{
		OS: "linux", Arch: "amd64", CPU: 1, MemoryMB: 1, DiskMB: 1, GPU: 1, TEE: []string{"sgx"}, Tags: []string{"a"}, Programs: []string{"p"},
		Docker: true, MaxRunS: 5, Version: "1.2.3",
		Apps: wire.Rules{Allow: []string{"p"}, Deny: []string{"q*"}}, Requesters: wire.Rules{Allow: []string{"ann"}, Deny: []string{"eve"}},
	}
	return r
}

func fullHeartbeat() wire.Heartbeat {
	able := fullRegistration().Capabilities
	return wire.Heartbeat{Slots: 2, Capabilities: &able, Reports: []wire.Report{
		pooltest.Says(1<<14, 1, "reported", "x"), pooltest.Says(1<<14+1, 1, "failed", "why"),
	}}
}

// forge makes a token of a header and claims that a key of ours has not signed.
func forge(good, header string, change func(claims map[string]any), key string) string {
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding
	var claims map[string]any
	text, _ := b64.DecodeString(parts[1])
	_ = json.Unmarshal(text, &claims)
	change(claims)
	text, _ = json.Marshal(claims)
	head := parts[0]
	if header != "" {
		head = b64.EncodeToString([]byte(header))
	}
	out := head + "." + b64.EncodeToString(text)
	if key == "" {
		return out + "."
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(out))
	return out + "." + b64.EncodeToString(mac.Sum(nil))
}

// Without a token that this pool issued and that is good now there is no way in.
func TestTokensRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	caller := pool.Caller{Account: c.op.ID, Role: pool.RoleOperator, Login: "op"}
	at := func(d time.Duration) func() time.Time { return func() time.Time { return time.Now().Add(d) } }
	same := func(map[string]any) {}
	parts := strings.Split(c.op.Token, ".")
	bad := map[string]string{
		"none":             "",
		"garbage":          "garbage",
		"two dots":         "..",
		"spaces":           " " + c.op.Token + " x",
		"too long":         strings.Repeat("a", 1<<16),
		"expired":          c.Token(c.Issuing(pooltest.Issuer, pooltest.Pool, at(-2*time.Hour)), caller),
		"not yet":          c.Token(c.Issuing(pooltest.Issuer, pooltest.Pool, at(2*time.Hour)), caller),
		"another pool":     c.Token(c.Issuing(pooltest.Issuer, "other", time.Now), caller),
		"another issuer":   c.Token(c.Issuing("other", pooltest.Pool, time.Now), caller),
		"no signature":     parts[0] + "." + parts[1] + ".",
		"alg none":         forge(c.op.Token, `{"alg":"none","typ":"JWT"}`, same, ""),
		"alg None":         forge(c.op.Token, `{"alg":"None","typ":"JWT"}`, same, ""),
		"key of its own":   forge(c.op.Token, "", same, strings.Repeat("k", 32)),
		"empty key":        forge(c.op.Token, `{"alg":"HS256","typ":"JWT"}`, same, "\x00"),
		"other role":       parts[0] + "." + strings.Split(forge(c.ann.Token, "", func(m map[string]any) { m["role"] = "operator" }, ""), ".")[1] + "." + parts[2],
		"key by its name":  forge(c.op.Token, `{"alg":"HS256","typ":"JWT","kid":"../../dev/null"}`, same, "\x00"),
		"key in its head":  forge(c.op.Token, `{"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":"a2tr"}}`, same, "kkk"),
		"role of its own":  forge(c.op.Token, "", func(m map[string]any) { m["role"] = "root" }, "kkk"),
		"somebody else":    parts[0] + "." + strings.Split(c.eve.Token, ".")[1] + "." + parts[2],
		"a valid one, cut": c.op.Token[:len(c.op.Token)-1],
	}
	for _, route := range private() {
		method, path := c.path(route)
		for name, token := range bad {
			answer := c.Call(token, method, path, bodyOf(route))
			c.refused(route+" with token "+name, answer, 401, "")
			if answer.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with token %s: no challenge", route, name)
			}
		}
		c.refused(route+" with Basic", c.Call("", method, path, bodyOf(route), "Authorization", "Basic b3A6b3A="), 401, "")
	}
}

// A role does what it may and nothing else, and a worker's token is for its own
// heartbeats and the reason why it has no more work.
func TestRolesRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	for _, route := range private() {
		method, path := c.path(route)
		wrong := map[string]string{"a worker account": c.crowd.Token, "a worker": c.one.Token}
		switch pooltest.Routes[route] {
		case "heartbeat":
			wrong = map[string]string{"a requester": c.ann.Token, "an operator": c.op.Token}
			if route == "POST /workers" {
				wrong["a worker"] = c.one.Token
			}
		case "query":
			switch route {
			case "GET /workers/{id}/explain":
				wrong = map[string]string{"a requester": c.ann.Token}
			case "GET /works/{id}/assignments/{worker}/explain":
				wrong["a requester"] = c.ann.Token
			}
		case "operate":
			wrong = map[string]string{"a requester": c.ann.Token, "a worker": c.one.Token}
			if !strings.Contains(route, "/workers") {
				wrong["a worker account"] = c.bob.Token
			}
		}
		for who, token := range wrong {
			c.refused(route+" by "+who, c.Call(token, method, path, bodyOf(route)), 403, "")
		}
	}
	for who, token := range map[string]string{"another worker of the account": c.other.Token, "another's": c.his.Token, "the account": c.crowd.Token} {
		c.refused("heartbeat by "+who, c.Call(token, "POST", fmt.Sprintf("/workers/%d/heartbeat", c.one.ID), fullHeartbeat()), 404, "id")
		c.refused("explained to "+who, c.Call(token, "GET", fmt.Sprintf("/workers/%d/explain", c.one.ID), nil), 404, "id")
	}
}

// What is somebody else's is not there, and what cannot be an id neither.
func TestIDsRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	odd := []string{"0", "-1", "01", "+1", "1e3", "1.0", "abc", "9007199254740992", "99999999999999999999", "1'or'1'='1", "1;DROP TABLE work", "1 OR 1=1", "%00", "٣"}
	for _, route := range private() {
		method, pattern, _ := strings.Cut(route, " ")
		if !strings.Contains(pattern, "{id}") {
			continue
		}
		mine, foreign := c.ann.Token, map[string]string{"eve": c.eve.Token}
		switch {
		case route == "POST /workers/{id}/heartbeat":
			mine, foreign = c.one.Token, nil
		case strings.Contains(pattern, "{worker}"): // for the operator only
			mine, foreign = c.op.Token, nil
			pattern = strings.Replace(pattern, "{worker}", fmt.Sprint(c.one.ID), 1)
		case strings.HasPrefix(pattern, "/workers"):
			mine, foreign = c.crowd.Token, map[string]string{"bob": c.bob.Token}
		case strings.HasSuffix(pattern, "/result"), strings.HasSuffix(pattern, "/inputs"):
			foreign["the operator"] = c.op.Token // for the owner only
		}
		for who, token := range foreign {
			method, path := c.path(route)
			c.refused(route+" of another by "+who, c.Call(token, method, path, nil), 404, "id")
		}
		absent := c.Call(mine, method, strings.Replace(pattern, "{id}", "4503599627370495", 1), bodyOf(route))
		c.refused(route+" of nobody", absent, 404, "id")
		for _, id := range odd {
			answer := c.Call(mine, method, strings.Replace(pattern, "{id}", url.PathEscape(id), 1), bodyOf(route))
			c.refused(route+" with id "+id, answer, 404, "")
		}
	}
}

// A login of nobody who may submit is not there, however it is written.
func TestLoginsRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	for _, login := range []string{"nobody", "crowd", "Ann", "ann2", "%25", "%ff", "%00", "' OR '1'='1", "ann'--", "é", "uid:", "uid:ann", "UID:u", strings.Repeat("a", 1000)} {
		known := login == "crowd" // submits nothing, and yet has an account
		if !strings.HasPrefix(login, "%") {
			login = url.PathEscape(login)
		}
		for method, body := range map[string]any{"GET": nil, "PUT": wire.Share{Weight: 2}} {
			c.refused(method+" share of "+login, c.Call(c.op.Token, method, "/requesters/"+login+"/share", body), 404, "login")
		}
		if known {
			continue
		}
		c.refused("show "+login, c.Call(c.op.Token, "GET", "/accounts/"+login, nil), 404, "login")
		c.refused("change "+login, c.Call(c.op.Token, "PATCH", "/accounts/"+login, wire.ChangeAccount{Disabled: new(true)}), 404, "login")
		c.refused("revoke "+login, c.Call(c.op.Token, "POST", "/accounts/"+login+"/revoke", nil), 404, "login")
	}
	for field, share := range map[string]wire.Share{
		"weight": {}, "max_running": {Weight: 1, MaxRunning: -1},
	} {
		c.refused("a share with "+field, c.Call(c.op.Token, "PUT", "/requesters/ann/share", share), 400, field)
	}
	c.refused("a weight of 1001", c.Call(c.op.Token, "PUT", "/requesters/ann/share", wire.Share{Weight: 1001}), 400, "weight")
	c.refused("a weight below", c.Call(c.op.Token, "PUT", "/requesters/ann/share", wire.Share{Weight: -1}), 400, "weight")
	c.refused("a limit beyond", c.Call(c.op.Token, "PUT", "/requesters/ann/share", wire.Share{Weight: 1, MaxRunning: 1 << 31}), 400, "max_running")
}

// What cannot be an account's is refused by its name, and what is another's or would
// lock everybody out is a conflict.
func TestAccountsRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	wallet := "0x" + strings.Repeat("Ab", 20)
	good := bodyOf("POST /accounts").(wire.NewAccount)
	for name, try := range map[string]struct {
		change func(*wire.NewAccount)
		status int
		field  string
	}{
		"no login":            {func(a *wire.NewAccount) { a.Login = "" }, 400, "login"},
		"a login with spaces": {func(a *wire.NewAccount) { a.Login = "a b" }, 400, "login"},
		"a login of a uid":    {func(a *wire.NewAccount) { a.Login = "uid:a" }, 400, "login"},
		"a login with a path": {func(a *wire.NewAccount) { a.Login = "../a" }, 400, "login"},
		"a login of 65":       {func(a *wire.NewAccount) { a.Login = strings.Repeat("a", 65) }, 400, "login"},
		"a foreign letter":    {func(a *wire.NewAccount) { a.Login = "é" }, 400, "login"},
		"a line":              {func(a *wire.NewAccount) { a.Login = "ada\n" }, 400, "login"},
		"no role":             {func(a *wire.NewAccount) { a.Role = "" }, 400, "role"},
		"a role of no use":    {func(a *wire.NewAccount) { a.Role = "Operator" }, 400, "role"},
		"no password":         {func(a *wire.NewAccount) { a.Password = "" }, 400, "password"},
		"a short password":    {func(a *wire.NewAccount) { a.Password = "elevenchars" }, 400, "password"},
		"a sample password":   {func(a *wire.NewAccount) { a.Password = "changeme12345" }, 400, "password"},
		"a wallet's password": {func(a *wire.NewAccount) { a.Login = wallet }, 400, "password"},
		"a uid with a colon":  {func(a *wire.NewAccount) { a.UID = "a:b" }, 400, "uid"},
		"a uid of 65":         {func(a *wire.NewAccount) { a.UID = strings.Repeat("a", 65) }, 400, "uid"},
		"a login that exists": {func(a *wire.NewAccount) { a.Login = "ann" }, 409, "login"},
	} {
		a := good
		try.change(&a)
		c.refused(name, c.Call(c.op.Token, "POST", "/accounts", a), try.status, try.field)
	}
	c.refused("nothing to change", c.Call(c.op.Token, "PATCH", "/accounts/ann", struct{}{}), 400, "")
	c.refused("a poor password", c.Call(c.op.Token, "PATCH", "/accounts/ann", wire.ChangeAccount{Password: "elevenchars"}), 400, "password")
	c.refused("himself", c.Call(c.op.Token, "PATCH", "/accounts/op", wire.ChangeAccount{Disabled: new(true)}), 409, "disabled")
	change := func(who pooltest.Someone, present, next string) pooltest.Answer {
		return c.Call(who.Token, "POST", "/session/password", wire.ChangePassword{Password: present, New: next})
	}
	c.refused("no present password", change(c.ann, "", pooltest.Password), 400, "password")
	c.refused("a wrong present password", change(c.ann, "nine owls in a garden", "eight owls in a garden"), 403, "password")
	c.refused("a poor new password", change(c.ann, pooltest.Password, "elevenchars"), 400, "new")
	c.refused("no new password", change(c.ann, pooltest.Password, ""), 400, "new")
	c.refused("of all who share it", change(c.crowd, pooltest.Password, "eight owls in a garden"), 403, "")
}

// Filters are known, stand once, and are in range.
func TestFiltersRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	for query, field := range map[string]string{
		"state=lost": "state", "state='%20OR%201=1": "state", "batch=0": "batch", "batch=x": "batch", "batch=1.5": "batch", "after=-1": "after",
		"after=9999999999999999999": "after", "limit=0": "limit", "limit=1001": "limit", "limit=ten": "limit", "limit=1&limit=2": "limit",
		"requester=1": "requester", "State=done": "State", "sort=id;drop": "sort",
	} {
		if strings.Contains(query, ";") {
			query = url.PathEscape(query)
			query, _ = strings.CutSuffix(query, "%3Bdrop")
		}
		c.refused("GET /works?"+query, c.Call(c.ann.Token, "GET", "/works?"+query, nil), 400, field)
	}
	for query, field := range map[string]string{
		"after=-1": "after", "limit=0": "limit", "limit=1001": "limit", "limit=1&limit=1": "limit", "account=1": "account", "state=active": "state",
	} {
		c.refused("GET /workers?"+query, c.Call(c.op.Token, "GET", "/workers?"+query, nil), 400, field)
		c.refused("GET /accounts?"+query, c.Call(c.op.Token, "GET", "/accounts?"+query, nil), 400, field)
	}
}

// What is true but not now is 409 and changes nothing.
func TestConflictsRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	c.refused("result before it is done", c.Call(c.ann.Token, "GET", fmt.Sprintf("/works/%d/result", c.batch.FirstWork), nil), 409, "id")
	c.refused("a key for another body", c.Call(c.ann.Token, "POST", "/works", pooltest.Submission(1, 0), "Idempotency-Key", "taken"), 409, "Idempotency-Key")
	var again wire.Accepted
	c.Call(c.ann.Token, "POST", "/works", fullSubmission(), "Idempotency-Key", "taken").Into(c.World, &again)
	if !again.Created.Equal(c.staged.Created) || again.Batch != c.staged.Batch || again.State != c.staged.State {
		t.Errorf("%+v, then %+v", c.staged, again)
	}
	if now := c.Stored(); !maps.Equal(c.stored, now) {
		t.Errorf("a repeated submission changed something: %v, then %v", c.stored, now)
	}
	for _, key := range []string{"a b", "it's", strings.Repeat("k", 65), "é", "a;b", "a\"b"} {
		c.refused("key "+key, c.Call(c.ann.Token, "POST", "/works", pooltest.Submission(1, 0), "Idempotency-Key", key), 400, "Idempotency-Key")
	}
}
