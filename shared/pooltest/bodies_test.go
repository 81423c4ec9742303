package pooltest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/wire"
)

// post is a route that takes a body, with who may send it.
type post struct{ route, token string }

func (c *court) posts() []post {
	return []post{
		{"POST /works", c.ann.Token}, {"POST /workers", c.crowd.Token}, {"POST /workers/{id}/heartbeat", c.one.Token}, {"POST /session", ""},
		{"PUT /requesters/{login}/share", c.op.Token},
		{"POST /chain/{errand}", c.op.Token},
		{"POST /session/password", c.ann.Token}, {"POST /accounts", c.op.Token}, {"PATCH /accounts/{login}", c.op.Token},
	}
}

func (c *court) send(p post, body any, headers ...string) pooltest.Answer {
	c.Helper()
	method, path := c.path(p.route)
	return c.Call(p.token, method, path, body, headers...)
}

// A body is one JSON object, said to be JSON, and not too big.
func TestBodiesRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	for _, p := range c.posts() {
		good, err := json.Marshal(bodyOf(p.route))
		if err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "application/jsonx", "multipart/form-data", "a/b/c"} {
			c.refused(p.route+" as "+kind, c.send(p, string(good), "Content-Type", kind), 415, "")
		}
		c.refused(p.route+" compressed", c.send(p, string(good), "Content-Encoding", "gzip"), 415, "")
		for name, body := range map[string]string{
			"empty": "", "white space": " \n", "null": "null", "a number": "1", "a text": `"x"`, "a list": "[]", "list of it": "[" + string(good) + "]",
			"half": string(good[:len(good)/2]), "two": string(good) + string(good), "a comma more": strings.TrimSuffix(string(good), "}") + ",}",
			"comment": "/**/" + string(good), "latin1": "{\"\xe9\":1}", "mark": "\ufeff" + string(good), "NaN": `{"a":NaN}`, "single quotes": "{'a':1}",
			"deep": strings.Repeat("[", 4000), "deeper": strings.Repeat(`{"a":`, 800),
		} {
			c.refused(p.route+" with "+name, c.send(p, body), 400, "")
		}
		limit := wire.MaxBody
		if strings.HasPrefix(p.route, "POST /session") || strings.HasSuffix(p.route, "/share") || strings.HasPrefix(p.route, "POST /chain/") || strings.Contains(p.route, "/accounts") {
			limit = 4 << 10
		}
		c.refused(p.route+" too big", c.send(p, string(good)+strings.Repeat(" ", limit+1-len(good))), 413, "")
	}
}

// Every property of every body has one type; another is refused by its path, and
// so is a property that nobody knows, stands twice or is written otherwise.
func TestTypesRefused(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	for _, p := range c.posts() {
		text, err := json.Marshal(bodyOf(p.route))
		if err != nil {
			t.Fatal(err)
		}
		var good any
		if err := json.Unmarshal(text, &good); err != nil {
			t.Fatal(err)
		}
		tried := 0
		walk(good, "", func(value any) string {
			spoiled, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			return string(spoiled)
		}, good, func(field, body string) {
			tried++
			c.refused(fmt.Sprintf("%s with %.400s", p.route, body), c.send(p, body), 400, field)
		})
		if tried < 8 {
			t.Errorf("%s: only %d tried", p.route, tried)
		}
		name := slices.Sorted(maps.Keys(good.(map[string]any)))[0]
		value, _ := json.Marshal(good.(map[string]any)[name])
		twice := strings.TrimSuffix(string(text), "}") + fmt.Sprintf(`,%q:%s}`, name, value)
		c.refused(p.route+" with "+name+" twice", c.send(p, twice), 400, name)
		upper := strings.ToUpper(name[:1]) + name[1:]
		c.refused(p.route+" with "+upper, c.send(p, strings.Replace(string(text), `"`+name+`"`, `"`+upper+`"`, 1)), 400, upper)
	}
}

// walk puts values of the wrong types in every place below node, one at a time,
// and a property of no meaning into every object of fixed properties.
func walk(node any, path string, encode func(any) string, whole any, try func(field, body string)) {
	below := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	put := func(set func(any), old any, field string) {
		for _, wrong := range wrongFor(old) {
			set(wrong)
			try(field, encode(whole))
		}
		set(old)
	}
	switch node := node.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(node)) {
			put(func(v any) { node[name] = v }, node[name], below(name))
			walk(node[name], below(name), encode, whole, try)
		}
		if !strings.HasSuffix(path, "env") {
			node["zz"] = 1
			try(below("zz"), encode(whole))
			delete(node, "zz")
		}
	case []any:
		for i := range node {
			field := fmt.Sprintf("%s[%d]", path, i)
			put(func(v any) { node[i] = v }, node[i], field)
			walk(node[i], field, encode, whole, try)
		}
	}
}

// wrongFor gives values of other types than that of a value.
func wrongFor(value any) []any {
	switch value.(type) {
	case string:
		return []any{1, true, []any{}, map[string]any{}, nil}
	case float64:
		return []any{"1", 1.5, json.Number("1e400"), json.Number("99999999999999999999"), false, []any{1}, nil}
	case bool:
		return []any{"true", 1, nil}
	case []any:
		return []any{"x", 1, map[string]any{"0": 1}}
	case map[string]any:
		return []any{"x", 1, []any{}}
	}
	return nil
}

// At each limit a submission is taken, and one beyond it is refused.
func TestSubmissionLimits(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	texts := func(n, length int) []string { return slices.Repeat([]string{strings.Repeat("x", length)}, n) }
	files := func(n int, size int64) []wire.Input {
		var out []wire.Input
		for i := range n {
			out = append(out, wire.Input{Name: fmt.Sprint("f", i), SHA256: fmt.Sprintf("%064x", i+1), Size: size})
		}
		return out
	}
	env := func(n, length int) map[string]string {
		out := map[string]string{}
		for i := range n {
			out[fmt.Sprint("E", i)] = strings.Repeat("x", length)
		}
		return out
	}
	type change = func(s *wire.Submission, n int)
	for _, l := range []struct {
		field string
		most  int
		set   change
	}{
		{"items", pool.MaxBatch, func(s *wire.Submission, n int) { s.Items = make([]wire.Item, n) }},
		{"template.args", 256, func(s *wire.Submission, n int) { s.Template.Args = texts(n, 1) }},
		{"items[0].args", 156, func(s *wire.Submission, n int) { s.Template.Args, s.Items[0].Args = texts(100, 1), texts(n, 1) }},
		{"template.args[0]", 8 << 10, func(s *wire.Submission, n int) { s.Template.Args = texts(1, n) }},
		{"template.env", 64, func(s *wire.Submission, n int) { s.Template.Env = env(n, 1) }},
		{"template.env", 8 << 10, func(s *wire.Submission, n int) { s.Template.Env = env(1, n) }},
		{"template.inputs", 64, func(s *wire.Submission, n int) { s.Template.Inputs = files(n, 1) }},
		{"template.inputs[0].size", pooltest.MaxFile, func(s *wire.Submission, n int) { s.Template.Inputs = files(1, int64(n)) }},
		{"template.inputs[0].name", 128, func(s *wire.Submission, n int) {
			s.Template.Inputs = files(1, 1)
			s.Template.Inputs[0].Name = strings.Repeat("n", n)
		}},
		{"items[0].inputs", 60, func(s *wire.Submission, n int) {
			all := files(4+n, 1)
			s.Template.Inputs, s.Items[0].Inputs = all[:4], all[4:]
		}},
		{"items", 1000, func(s *wire.Submission, n int) {
			all := files(n, 1)
			s.Items = nil
			for len(all) > 0 {
				k := min(60, len(all))
				s.Items, all = append(s.Items, wire.Item{Inputs: all[:k]}), all[k:]
			}
		}},
		{"template.trust", pool.MaxTrust, func(s *wire.Submission, n int) { s.Template.Trust = n }},
		{"template.deadline_s", 30 * 24 * 3600, func(s *wire.Submission, n int) { s.Template.DeadlineS = int64(n) }},
		{"template.demands.cpu", 4096, func(s *wire.Submission, n int) { s.Template.Demands.CPU = n }},
		{"template.demands.tags", 32, func(s *wire.Submission, n int) { s.Template.Demands.Tags = texts(n, 1) }},
		{"template.demands.tags[0]", 63, func(s *wire.Submission, n int) { s.Template.Demands.Tags = texts(1, n) }},
	} {
		s := pooltest.Submission(1, 0)
		l.set(&s, l.most+1)
		c.refused(fmt.Sprintf("%s of %d", l.field, l.most+1), c.Call(c.ann.Token, "POST", "/works", s), 400, l.field)
		l.set(&s, l.most)
		c.Call(c.ann.Token, "POST", "/works", s).Into(c.World, &wire.Accepted{})
		c.stored = c.Stored()
	}
	c.Check()
}

// Words that would be SQL, HTML or a path elsewhere are refused where names
// stand, and are only text where texts stand.
func TestStrangeTexts(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	strange := []string{
		"'; DROP TABLE work; --", `" OR ""="`, "' OR '1'='1", "../../etc/passwd", "<script>", "a\nb", "a b", "é", "$(reboot)", "`id`", "%s%n", "\\", "?", "{{7*7}}",
	}
	for _, s := range strange {
		for field, set := range map[string]func(*wire.Submission){
			"template.app.name":            func(b *wire.Submission) { b.Template.App.Name = s },
			"template.app.type":            func(b *wire.Submission) { b.Template.App.Type = s },
			"template.category":            func(b *wire.Submission) { b.Template.Category = s },
			"template.priority":            func(b *wire.Submission) { b.Template.Priority = s },
			"template.demands.os":          func(b *wire.Submission) { b.Template.Demands.OS = s },
			"template.demands.tee":         func(b *wire.Submission) { b.Template.Demands.TEE = s },
			"template.demands.min_version": func(b *wire.Submission) { b.Template.Demands.MinVersion = s },
			"template.demands.not_tags[0]": func(b *wire.Submission) { b.Template.Demands.NotTags = []string{s} },
			"items[0].inputs[0].name": func(b *wire.Submission) {
				b.Items[0].Inputs = []wire.Input{{Name: s, SHA256: strings.Repeat("a", 64)}}
			},
			"items[0].inputs[0].sha256": func(b *wire.Submission) { b.Items[0].Inputs = []wire.Input{{Name: "f", SHA256: s}} },
			"items[0].env":              func(b *wire.Submission) { b.Items[0].Env = map[string]string{s: "x"} },
		} {
			body := pooltest.Submission(1, 0)
			set(&body)
			c.refused(field+" "+s, c.Call(c.ann.Token, "POST", "/works", body), 400, field)
		}
		r := pooltest.Registration(s, 1)
		c.refused("worker "+s, c.Call(c.crowd.Token, "POST", "/workers", r), 400, "name")
		c.refused("login "+s, c.Call("", "POST", "/session", wire.Login{Login: s, Password: s}), 401, "")
	}
	body := pooltest.Submission(1, 0)
	body.Template.Args, body.Template.Env = append(strange, "😀\u2028", ""), map[string]string{"X": strings.Join(strange, "\n")}
	var batch wire.Accepted
	c.Call(c.ann.Token, "POST", "/works", body).Into(c.World, &batch)
	c.Dispatch()
	for _, worker := range []pooltest.Worker{c.one, c.other, c.his} {
		for _, i := range c.Beat(worker).Instructions {
			if i.Work == batch.FirstWork {
				if !slices.Equal(i.Run.Args, body.Template.Args) || !maps.Equal(i.Run.Env, body.Template.Env) {
					t.Errorf("%q became %q, %q became %q", body.Template.Args, i.Run.Args, body.Template.Env, i.Run.Env)
				}
				return
			}
		}
	}
	t.Error("nobody was offered the work")
}

// What a worker says has limits as well, and half of a bad heartbeat is not taken.
func TestHeartbeatLimits(t *testing.T) {
	t.Parallel()
	c := newCourt(t)
	beat := func(body wire.Heartbeat) pooltest.Answer {
		return c.Call(c.one.Token, "POST", fmt.Sprintf("/workers/%d/heartbeat", c.one.ID), body)
	}
	good := pooltest.Says(c.batch.FirstWork, 1, "running", "")
	with := func(change func(*wire.Report)) wire.Heartbeat {
		bad := pooltest.Says(c.batch.LastWork, 1, "reported", "x")
		change(&bad)
		return wire.Heartbeat{Slots: 9, Reports: []wire.Report{good, bad}}
	}
	var many []wire.Report
	for i := range 1001 {
		many = append(many, pooltest.Says(int64(i+1), 1, "running", ""))
	}
	for field, body := range map[string]wire.Heartbeat{
		"reports":            {Reports: many},
		"slots":              {Slots: 257, Reports: []wire.Report{good}},
		"reports[1].size":    with(func(r *wire.Report) { r.Size = pooltest.MaxFile + 1 }),
		"reports[1].sha256":  with(func(r *wire.Report) { r.SHA256 = strings.Repeat("0", 64) }),
		"reports[1].attempt": with(func(r *wire.Report) { r.Attempt = 0 }),
		"reports[1].work":    with(func(r *wire.Report) { r.Work = good.Work }),
		"reports[1].state":   with(func(r *wire.Report) { r.State = "done' --" }),
		"reports[1].reason":  with(func(r *wire.Report) { r.Reason = strings.Repeat("r", 501) }),
		"capabilities.gpu":   {Reports: []wire.Report{good}, Capabilities: &wire.Capabilities{GPU: -1}},

		"capabilities.apps.deny[1]":     {Slots: 9, Capabilities: &wire.Capabilities{Apps: wire.Rules{Deny: []string{"a*", "*a"}}}},
		"capabilities.requesters.allow": {Slots: 9, Capabilities: &wire.Capabilities{Requesters: wire.Rules{Allow: slices.Repeat([]string{"a"}, 65)}}},
	} {
		c.refused("a heartbeat with "+field, beat(body), 400, field)
	}
	beat(wire.Heartbeat{Reports: many[:1000]}).Into(c.World, &wire.Beat{})
}
