package wire_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

const maxFile = 1_000

func sha(n int) string { return fmt.Sprintf("%064x", n+1) }

// submission is one that is right.
func submission() wire.Submission {
	return wire.Submission{
		Template: wire.Template{App: wire.App{Type: "process", Name: "sum"}},
		Items:    []wire.Item{{}},
	}
}

// fieldOf gives the path that a refusal names; the error has to be one.
func fieldOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *pool.Error
	if !errors.As(err, &e) || e.Kind != pool.Invalid || e.Field == "" || e.Message == "" {
		t.Fatalf("not a refusal with a field: %v", err)
	}
	return e.Field
}

func many[E any](n int, make func(i int) E) []E {
	var out []E
	for i := range n {
		out = append(out, make(i))
	}
	return out
}

func words(n int) []string { return many(n, func(int) string { return "a" }) }

func env(n int) map[string]string {
	out := map[string]string{}
	for i := range n {
		out[fmt.Sprint("V", i)] = ""
	}
	return out
}

func inputs(from, n int) []wire.Input {
	return many(n, func(i int) wire.Input { return wire.Input{Name: fmt.Sprint("in", from+i), SHA256: sha(from + i)} })
}

func TestSubmissionLimits(t *testing.T) {
	t.Parallel()
	type edit = func(*wire.Submission)
	template := func(change func(*wire.Template)) edit { return func(s *wire.Submission) { change(&s.Template) } }
	item := func(change func(*wire.Item)) edit { return func(s *wire.Submission) { change(&s.Items[0]) } }
	demand := func(change func(*wire.Demands)) edit { return func(s *wire.Submission) { change(&s.Template.Demands) } }
	args := func(a ...string) edit { return template(func(x *wire.Template) { x.Args = a }) }
	named := func(e map[string]string) edit { return template(func(x *wire.Template) { x.Env = e }) }
	files := func(in ...wire.Input) edit { return template(func(x *wire.Template) { x.Inputs = in }) }
	app := func(kind, name string) edit {
		return template(func(x *wire.Template) { x.App = wire.App{Type: kind, Name: name} })
	}
	items := func(i ...wire.Item) edit { return func(s *wire.Submission) { s.Items = i } }
	in := wire.Input{Name: "a", SHA256: sha(0), Size: 7}
	longTag, longName := strings.Repeat("t", 63), strings.Repeat("n", 128)

	for name, c := range map[string]struct {
		edit  edit
		field string
	}{
		"as it is":              {func(*wire.Submission) {}, ""},
		"no items":              {items(), "items"},
		"most works":            {items(make([]wire.Item, pool.MaxBatch)...), ""},
		"one work more":         {items(make([]wire.Item, pool.MaxBatch+1)...), "items"},
		"no app type":           {app("", "sum"), "template.app.type"},
		"unknown app type":      {app("wasm", "sum"), "template.app.type"},
		"upper app type":        {app("Process", "sum"), "template.app.type"},
		"no program":            {app("process", ""), "template.app.name"},
		"longest program":       {app("process", longName), ""},
		"longer program":        {app("process", longName+"n"), "template.app.name"},
		"path as program":       {app("process", "../sum"), "template.app.name"},
		"slash in program":      {app("process", "bin/sum"), "template.app.name"},
		"option as program":     {app("process", "-sum"), "template.app.name"},
		"program with newline":  {app("process", "sum\n"), "template.app.name"},
		"image":                 {app("docker", "registry.example.org:5000/a/b:1@sha256:"+sha(1)), ""},
		"longest image":         {app("docker", strings.Repeat("a", 255)), ""},
		"longer image":          {app("docker", strings.Repeat("a", 256)), "template.app.name"},
		"option as image":       {app("docker", "--privileged"), "template.app.name"},
		"image with space":      {app("docker", "a b"), "template.app.name"},
		"category":              {template(func(x *wire.Template) { x.Category = "XL" }), ""},
		"unknown category":      {template(func(x *wire.Template) { x.Category = "xl" }), "template.category"},
		"trust 0":               {template(func(x *wire.Template) { x.Trust = 0 }), ""},
		"trust below":           {template(func(x *wire.Template) { x.Trust = -1 }), "template.trust"},
		"most trust":            {template(func(x *wire.Template) { x.Trust = pool.MaxTrust }), ""},
		"more trust":            {template(func(x *wire.Template) { x.Trust = pool.MaxTrust + 1 }), "template.trust"},
		"priority":              {template(func(x *wire.Template) { x.Priority = "high" }), ""},
		"unknown priority":      {template(func(x *wire.Template) { x.Priority = "highest" }), "template.priority"},
		"shortest deadline":     {template(func(x *wire.Template) { x.DeadlineS = 1 }), ""},
		"deadline below":        {template(func(x *wire.Template) { x.DeadlineS = -1 }), "template.deadline_s"},
		"longest deadline":      {template(func(x *wire.Template) { x.DeadlineS = 30 * 86_400 }), ""},
		"longer deadline":       {template(func(x *wire.Template) { x.DeadlineS = 30*86_400 + 1 }), "template.deadline_s"},
		"huge deadline":         {template(func(x *wire.Template) { x.DeadlineS = 1<<63 - 1 }), "template.deadline_s"},
		"most args":             {args(words(256)...), ""},
		"one arg more":          {args(words(257)...), "template.args"},
		"longest arg":           {args("a", strings.Repeat("a", 8192)), ""},
		"longer arg":            {args("a", strings.Repeat("a", 8193)), "template.args[1]"},
		"zero byte in arg":      {args("a", "b", "c\x00"), "template.args[2]"},
		"item's args":           {item(func(x *wire.Item) { x.Args = words(257) }), "items[0].args"},
		"item's arg":            {item(func(x *wire.Item) { x.Args = []string{"\x00"} }), "items[0].args[0]"},
		"all args together":     {func(s *wire.Submission) { s.Template.Args, s.Items[0].Args = words(200), words(56) }, ""},
		"one too many together": {func(s *wire.Submission) { s.Template.Args, s.Items[0].Args = words(200), words(57) }, "items[0].args"},
		"in the second item":    {func(s *wire.Submission) { s.Items = []wire.Item{{}, {Args: []string{"\x00"}}} }, "items[1].args[0]"},
		"most env":              {named(env(64)), ""},
		"one env more":          {named(env(65)), "template.env"},
		"item's env":            {item(func(x *wire.Item) { x.Env = env(65) }), "items[0].env"},
		"longest env name":      {named(map[string]string{strings.Repeat("A", 128): ""}), ""},
		"longer env name":       {named(map[string]string{strings.Repeat("A", 129): ""}), "template.env"},
		"no env name":           {named(map[string]string{"": "x"}), "template.env"},
		"env name with =":       {named(map[string]string{"A=B": "x"}), "template.env"},
		"env name of digits":    {named(map[string]string{"1A": "x"}), "template.env"},
		"worker's env":          {named(map[string]string{"IEXEC_IN": "x"}), "template.env"},
		"loader's env":          {named(map[string]string{"LD_PRELOAD": "x"}), "template.env"},
		"item's loader's env":   {item(func(x *wire.Item) { x.Env = map[string]string{"LD_PRELOAD": "x"} }), "items[0].env"},
		"longest env value":     {named(map[string]string{"A": strings.Repeat("a", 8192)}), ""},
		"longer env value":      {named(map[string]string{"A": strings.Repeat("a", 8193)}), "template.env"},
		"zero byte in env":      {named(map[string]string{"A": "\x00"}), "template.env"},
		"most inputs":           {files(inputs(0, 64)...), ""},
		"one input more":        {files(inputs(0, 65)...), "template.inputs"},
		"item's inputs":         {item(func(x *wire.Item) { x.Inputs = inputs(0, 65) }), "items[0].inputs"},
		"all inputs together":   {func(s *wire.Submission) { s.Template.Inputs, s.Items[0].Inputs = inputs(0, 60), inputs(60, 4) }, ""},
		"too many together":     {func(s *wire.Submission) { s.Template.Inputs, s.Items[0].Inputs = inputs(0, 60), inputs(60, 5) }, "items[0].inputs"},
		"no input name":         {files(wire.Input{SHA256: sha(0)}), "template.inputs[0].name"},
		"input outside":         {files(in, wire.Input{Name: "../b", SHA256: sha(1)}), "template.inputs[1].name"},
		"hidden input":          {files(wire.Input{Name: ".ssh", SHA256: sha(1)}), "template.inputs[0].name"},
		"longest input name":    {files(wire.Input{Name: longName, SHA256: sha(1)}), ""},
		"longer input name":     {files(wire.Input{Name: longName + "n", SHA256: sha(1)}), "template.inputs[0].name"},
		"input twice":           {files(in, wire.Input{Name: "a", SHA256: sha(1)}), "template.inputs[1].name"},
		"item's input twice":    {item(func(x *wire.Item) { x.Inputs = []wire.Input{in, in} }), "items[0].inputs[1].name"},
		"template's in item":    {func(s *wire.Submission) { s.Template.Inputs, s.Items[0].Inputs = []wire.Input{in}, []wire.Input{in} }, "items[0].inputs[0].name"},
		"empty input":           {files(wire.Input{Name: "a", SHA256: sha(0), Size: 0}), ""},
		"input below empty":     {files(wire.Input{Name: "a", SHA256: sha(0), Size: -1}), "template.inputs[0].size"},
		"largest input":         {files(wire.Input{Name: "a", SHA256: sha(0), Size: maxFile}), ""},
		"larger input":          {files(wire.Input{Name: "a", SHA256: sha(0), Size: maxFile + 1}), "template.inputs[0].size"},
		"no digest":             {files(wire.Input{Name: "a"}), "template.inputs[0].sha256"},
		"short digest":          {files(wire.Input{Name: "a", SHA256: sha(0)[1:]}), "template.inputs[0].sha256"},
		"upper digest":          {files(wire.Input{Name: "a", SHA256: strings.Repeat("AB", 32)}), "template.inputs[0].sha256"},
		"same file, other name": {func(s *wire.Submission) {
			s.Template.Inputs, s.Items[0].Inputs = []wire.Input{in}, []wire.Input{{Name: "b", SHA256: in.SHA256, Size: 7}}
		}, ""},
		"same file, other size": {func(s *wire.Submission) {
			s.Template.Inputs, s.Items[0].Inputs = []wire.Input{in}, []wire.Input{{Name: "b", SHA256: in.SHA256, Size: 8}}
		}, "items[0].inputs[0].size"},
		"so between items":    {items(wire.Item{Inputs: []wire.Input{in}}, wire.Item{Inputs: []wire.Input{{Name: "a", SHA256: in.SHA256, Size: 8}}}), "items[1].inputs[0].size"},
		"most files":          {items(many(100, func(i int) wire.Item { return wire.Item{Inputs: inputs(10*i, 10)} })...), ""},
		"one file more":       {items(many(101, func(i int) wire.Item { return wire.Item{Inputs: inputs(10*i, min(10, 1_001-10*i))} })...), "items"},
		"most cpu":            {demand(func(d *wire.Demands) { d.CPU = 4096 }), ""},
		"more cpu":            {demand(func(d *wire.Demands) { d.CPU = 4097 }), "template.demands.cpu"},
		"cpu below":           {demand(func(d *wire.Demands) { d.CPU = -1 }), "template.demands.cpu"},
		"most memory":         {demand(func(d *wire.Demands) { d.MemoryMB = 1 << 30 }), ""},
		"more memory":         {demand(func(d *wire.Demands) { d.MemoryMB = 1<<30 + 1 }), "template.demands.memory_mb"},
		"memory below":        {demand(func(d *wire.Demands) { d.MemoryMB = -1 }), "template.demands.memory_mb"},
		"most disk":           {demand(func(d *wire.Demands) { d.DiskMB = 1 << 40 }), ""},
		"more disk":           {demand(func(d *wire.Demands) { d.DiskMB = 1<<40 + 1 }), "template.demands.disk_mb"},
		"disk below":          {demand(func(d *wire.Demands) { d.DiskMB = -1 }), "template.demands.disk_mb"},
		"most gpu":            {demand(func(d *wire.Demands) { d.GPU = 1024 }), ""},
		"more gpu":            {demand(func(d *wire.Demands) { d.GPU = 1025 }), "template.demands.gpu"},
		"gpu below":           {demand(func(d *wire.Demands) { d.GPU = -1 }), "template.demands.gpu"},
		"tee":                 {demand(func(d *wire.Demands) { d.TEE = "SGX" }), "template.demands.tee"},
		"os":                  {demand(func(d *wire.Demands) { d.OS = "Linux" }), "template.demands.os"},
		"arch":                {demand(func(d *wire.Demands) { d.Arch = "am d" }), "template.demands.arch"},
		"version":             {demand(func(d *wire.Demands) { d.MinVersion = "1.2" }), "template.demands.min_version"},
		"longest version":     {demand(func(d *wire.Demands) { d.MinVersion = "999999.999999.999999" }), ""},
		"longer version":      {demand(func(d *wire.Demands) { d.MinVersion = "1000000.0.0" }), "template.demands.min_version"},
		"most tags":           {demand(func(d *wire.Demands) { d.Tags = words(32) }), ""},
		"more tags":           {demand(func(d *wire.Demands) { d.Tags = words(33) }), "template.demands.tags"},
		"longest tag":         {demand(func(d *wire.Demands) { d.Tags = []string{longTag} }), ""},
		"longer tag":          {demand(func(d *wire.Demands) { d.Tags = []string{"a", longTag + "t"} }), "template.demands.tags[1]"},
		"empty tag":           {demand(func(d *wire.Demands) { d.Tags = []string{""} }), "template.demands.tags[0]"},
		"most forbidden tags": {demand(func(d *wire.Demands) { d.NotTags = words(32) }), ""},
		"more forbidden tags": {demand(func(d *wire.Demands) { d.NotTags = words(33) }), "template.demands.not_tags"},
		"upper forbidden tag": {demand(func(d *wire.Demands) { d.NotTags = []string{"A"} }), "template.demands.not_tags[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := submission()
			c.edit(&s)
			parsed, err := s.Parse(maxFile)
			if field := fieldOf(t, err); field != c.field {
				t.Errorf("refused for %q (%v), want %q", field, err, c.field)
			}
			if err != nil && parsed.Template != nil {
				t.Error("refused and yet there is something to store")
			}
		})
	}
}

// One digest cannot have two sizes, also when both stand in the template.
func TestTemplateInputsOfOneDigest(t *testing.T) {
	t.Parallel()
	s := submission()
	s.Template.Inputs = []wire.Input{{Name: "a", SHA256: sha(0), Size: 1}, {Name: "b", SHA256: sha(0), Size: 2}}
	if _, err := s.Parse(maxFile); fieldOf(t, err) != "template.inputs[1].size" {
		t.Errorf("the same digest with 1 and 2 bytes: %v", err)
	}
}

func TestSubmissionDefaults(t *testing.T) {
	t.Parallel()
	n, err := submission().Parse(maxFile)
	if err != nil {
		t.Fatal(err)
	}
	if n.Priority != pool.Normal || n.Deadline != 7*24*time.Hour || n.Demands.RunLimit != 300*time.Second || n.Trust != 0 {
		t.Errorf("%+v", n)
	}
	if len(n.Items) != 1 || n.Items[0] != nil || len(n.Inputs) != 0 {
		t.Errorf("an item without its own has the document %s; inputs %v", n.Items, n.Inputs)
	}
}

func TestSubmissionBecomesABatch(t *testing.T) {
	t.Parallel()
	s := submission()
	s.Template.App = wire.App{Type: "docker", Name: "alpine:3"}
	s.Template.Category, s.Template.Trust, s.Template.Priority, s.Template.DeadlineS = "M", 5, "low", 90
	s.Template.Inputs = []wire.Input{{Name: "common", SHA256: sha(9), Size: 5}}
	s.Template.Demands = wire.Demands{CPU: 2, Tags: []string{"b", "a", "b"}, NotTags: []string{"z", "y"}, TEE: "sgx"}
	s.Items = []wire.Item{
		{Inputs: []wire.Input{{Name: "own", SHA256: sha(3), Size: 6}}},
		{},
		{Args: []string{"x"}, Inputs: []wire.Input{{Name: "own", SHA256: sha(3), Size: 6}, {Name: "again", SHA256: sha(9), Size: 5}}},
	}
	n, err := s.Parse(maxFile)
	if err != nil {
		t.Fatal(err)
	}
	if n.Trust != 5 || n.Priority != pool.Low || n.Deadline != 90*time.Second {
		t.Errorf("%+v", n)
	}
	d := n.Demands
	if d.App != (pool.App{Type: pool.DockerApp, Name: "alpine:3"}) {
		t.Errorf("app %+v: workers' rules are about images too", d.App)
	}
	if fmt.Sprint(d.Tags, d.NotTags) != "[a b] [y z]" || d.CPU != 2 || d.TEE != "sgx" || d.RunLimit != time.Hour {
		t.Errorf("%+v", d)
	}
	if len(n.Inputs) != 2 || n.Inputs[0].Digest.String() != sha(3) || n.Inputs[0].Size != 6 || n.Inputs[1].Digest.String() != sha(9) || n.Inputs[1].Size != 5 {
		t.Errorf("files %v: want the two, each once, by digest", n.Inputs)
	}
	if len(n.Items) != 3 || n.Items[0] == nil || n.Items[1] != nil || n.Items[2] == nil {
		t.Errorf("items %q", n.Items)
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	for key, ok := range map[string]bool{
		"": true, "a": true, "A.b_c:d/e-9": true, strings.Repeat("k", 64): true,
		strings.Repeat("k", 65): false, "a b": false, "é": false, "a\n": false, "a=b": false,
	} {
		err := wire.ParseIdempotencyKey(key)
		if (err == nil) != ok || err != nil && fieldOf(t, err) != "Idempotency-Key" {
			t.Errorf("%q: %v", key, err)
		}
	}
}
