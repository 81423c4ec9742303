// Package wire owns every JSON body that goes in or out of the pool: its shape,
// its limits and its way to the words of package pool and back. It holds
// primitives only and decides nothing.
package wire

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"workerpool/shared/pool"
)

// Limits of one submission.
const (
	MaxBody    = 5 << 20 // bytes of a request body
	maxArgs    = 256
	maxArg     = 8 << 10
	maxRun     = 64 << 10 // bytes of template and item as JSON: a worker is told of many runs at once
	maxEnv     = 64
	maxInputs  = 64    // files one work reads
	maxUploads = 1_000 // distinct files of a batch
	maxTags    = 32
	maxKey     = 64 // characters of an Idempotency-Key
)

// Submission is the body of POST /works.
type Submission struct {
	Template Template `json:"template"`
	Items    []Item   `json:"items"`
}

// Template is what all works of a batch share.
type Template struct {
	App       App               `json:"app"`
	Args      []string          `json:"args,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	Inputs    []Input           `json:"inputs,omitempty"`
	Demands   Demands           `json:"demands,omitzero"`
	Category  string            `json:"category,omitempty"`
	Trust     int               `json:"trust,omitempty"`
	Priority  string            `json:"priority,omitempty"`
	DeadlineS int64             `json:"deadline_s,omitempty"`
	// MaxRunning is how many of the works may run at once; 0 = as many as there is room for.
	MaxRunning int `json:"max_running,omitempty"`
}

// Item is what one work has of its own: arguments after the template's, env
// entries over the template's, inputs beside the template's.
type Item struct {
	Args   []string          `json:"args,omitempty"`
	Env    map[string]string `json:"env,omitempty"`
	Inputs []Input           `json:"inputs,omitempty"`
}

// App names what a work runs.
type App struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// Input is a file that a work reads below IEXEC_IN.
type Input struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// Demands is what a work needs of a worker.
type Demands struct {
	CPU        int      `json:"cpu,omitempty"`
	MemoryMB   int64    `json:"memory_mb,omitempty"`
	DiskMB     int64    `json:"disk_mb,omitempty"`
	GPU        int      `json:"gpu,omitempty"`
	TEE        string   `json:"tee,omitempty"`
	Tags       []string `json:"tags,omitempty"`
	NotTags    []string `json:"not_tags,omitempty"`
	OS         string   `json:"os,omitempty"`
	Arch       string   `json:"arch,omitempty"`
	MinVersion string   `json:"min_version,omitempty"`
}

// Accepted is the answer to POST /works: the batch and the gapless range of its
// works' ids.
type Accepted struct {
	Batch     int64     `json:"batch"`
	FirstWork int64     `json:"first_work"`
	LastWork  int64     `json:"last_work"`
	Works     int       `json:"works"`
	State     string    `json:"state"` // staging while inputs are missing, else waiting
	Created   time.Time `json:"created"`
}

// Uploads is the answer to GET and POST /batches/{id}/inputs: the inputs still
// missing, each with a link to upload it (links only in the answer to GET).
type Uploads struct {
	Missing int            `json:"missing"`
	Inputs  []UploadTarget `json:"inputs"`
}

// UploadTarget is one input still missing.
type UploadTarget struct {
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	Upload *Link  `json:"upload,omitempty"`
}

// Link is a presigned POST: send Fields and then the bytes as the form field
// "file" to URL before Expires.
type Link struct {
	URL     string            `json:"url"`
	Fields  map[string]string `json:"fields"`
	Expires time.Time         `json:"expires"`
}

// Cancelled is the answer to DELETE /works/{id}: what the work was, and what it
// is now. Both are equal when it had already ended.
type Cancelled struct {
	Work   int64  `json:"work"`
	Before string `json:"before"`
	State  string `json:"state"`
}

var (
	nameForm    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	imageForm   = regexp.MustCompile(`^[a-z0-9][A-Za-z0-9._/:@-]{0,254}$`)
	envForm     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)
	tagForm     = regexp.MustCompile(`^[a-z0-9][a-z0-9._:-]{0,62}$`)
	versionForm = regexp.MustCompile(`^[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}$`)
	keyForm     = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,64}$`)
)

func invalid(field, format string, args ...any) error {
	return pool.Refuse(pool.Invalid, field, format, args...)
}

// Parse checks a submission and gives what is to be stored. maxFile bounds every
// input's size in bytes. Requester, Idempotency, BodyDigest and RequestID are
// the caller's to fill in.
func (s Submission) Parse(maxFile int64) (pool.NewBatch, error) {
	var none pool.NewBatch
	t := s.Template
	if len(s.Items) == 0 {
		return none, invalid("items", "give at least one item; a work without own arguments is {}")
	}
	if len(s.Items) > pool.MaxBatch {
		return none, invalid("items", "at most %d works a batch, here %d", pool.MaxBatch, len(s.Items))
	}
	app, err := t.App.parse("template.app")
	if err != nil {
		return none, err
	}
	category, ok := pool.CategoryNamed(defaulted(t.Category, "XS"))
	if !ok {
		return none, invalid("template.category", "unknown category %q; known are XS, S, M, L, XL", t.Category)
	}
	demands, err := t.Demands.parse("template.demands")
	if err != nil {
		return none, err
	}
	demands.App, demands.RunLimit = app, category.RunLimit
	if t.Trust < 0 || t.Trust > pool.MaxTrust {
		return none, invalid("template.trust", "0 to %d, here %d", pool.MaxTrust, t.Trust)
	}
	priority := pool.Priority(defaulted(t.Priority, string(pool.Normal)))
	if !slices.Contains([]pool.Priority{pool.Low, pool.Normal, pool.High}, priority) {
		return none, invalid("template.priority", "low, normal or high, here %q", t.Priority)
	}
	deadline := pool.DefaultDeadline
	if t.DeadlineS != 0 {
		if t.DeadlineS < 1 || t.DeadlineS > int64(pool.MaxDeadline/time.Second) {
			return none, invalid("template.deadline_s", "1 to %d seconds, here %d", int64(pool.MaxDeadline/time.Second), t.DeadlineS)
		}
		deadline = time.Duration(t.DeadlineS) * time.Second
	}
	if t.MaxRunning < 0 || t.MaxRunning > pool.MaxBatch {
		return none, invalid("template.max_running", "1 to %d, or left out for no limit; here %d", pool.MaxBatch, t.MaxRunning)
	}
	if err := checkRun("template", t.Args, t.Env, t.Inputs, maxFile); err != nil {
		return none, err
	}
	template, err := document(t)
	if err != nil {
		return none, fmt.Errorf("encoding the template: %w", err)
	}
	if len(template) > maxRun {
		return none, invalid("template", "at most %d bytes as JSON, here %d: bring large data as inputs", maxRun, len(template))
	}
	items, inputs, err := s.items(maxFile, maxRun-len(template))
	if err != nil {
		return none, err
	}
	return pool.NewBatch{
		Demands: demands, Trust: t.Trust, Priority: priority, Deadline: deadline, MaxRunning: t.MaxRunning,
		Template: template, Items: items, Inputs: inputs,
	}, nil
}

// items checks each work, which has room for so many bytes beside the template,
// and gathers the distinct files of all.
func (s Submission) items(maxFile int64, room int) (documents [][]byte, inputs []pool.Input, err error) {
	seen := map[string]pool.Input{}
	for j, in := range s.Template.Inputs {
		if known, ok := seen[in.SHA256]; ok && known.Size != in.Size {
			return nil, nil, invalid(fmt.Sprintf("template.inputs[%d].size", j), "the same digest stands elsewhere with %d bytes", known.Size)
		}
		seen[in.SHA256] = in.pool()
	}
	documents = make([][]byte, len(s.Items))
	for i, item := range s.Items {
		at := fmt.Sprintf("items[%d]", i)
		if err := checkRun(at, item.Args, item.Env, item.Inputs, maxFile); err != nil {
			return nil, nil, err
		}
		if n := len(s.Template.Args) + len(item.Args); n > maxArgs {
			return nil, nil, invalid(at+".args", "with the template's at most %d arguments, here %d", maxArgs, n)
		}
		if n := len(s.Template.Inputs) + len(item.Inputs); n > maxInputs {
			return nil, nil, invalid(at+".inputs", "with the template's at most %d inputs, here %d", maxInputs, n)
		}
		if n := len(s.Template.Env) + len(item.Env); n > maxEnv {
			return nil, nil, invalid(at+".env", "with the template's at most %d entries, here %d", maxEnv, n)
		}
		for j, in := range item.Inputs {
			field := fmt.Sprintf("%s.inputs[%d]", at, j)
			if slices.ContainsFunc(s.Template.Inputs, func(t Input) bool { return t.Name == in.Name }) {
				return nil, nil, invalid(field+".name", "%q is already an input of the template", in.Name)
			}
			if known, ok := seen[in.SHA256]; ok && known.Size != in.Size {
				return nil, nil, invalid(field+".size", "the same digest stands elsewhere with %d bytes", known.Size)
			}
			seen[in.SHA256] = in.pool()
		}
		if len(item.Args)+len(item.Env)+len(item.Inputs) > 0 {
			if documents[i], err = document(item); err != nil {
				return nil, nil, fmt.Errorf("encoding an item: %w", err)
			}
			if len(documents[i]) > room {
				return nil, nil, invalid(at, "with the template's at most %d bytes as JSON: bring large data as inputs", maxRun)
			}
		}
	}
	if len(seen) > maxUploads {
		return nil, nil, invalid("items", "at most %d distinct input files a batch, here %d", maxUploads, len(seen))
	}
	for _, key := range slices.Sorted(maps.Keys(seen)) {
		inputs = append(inputs, seen[key])
	}
	return documents, inputs, nil
}

// checkRun checks what template and item have in common.
func checkRun(at string, args []string, env map[string]string, inputs []Input, maxFile int64) error {
	if len(args) > maxArgs {
		return invalid(at+".args", "at most %d arguments, here %d", maxArgs, len(args))
	}
	for i, a := range args {
		if len(a) > maxArg || strings.ContainsRune(a, 0) {
			return invalid(fmt.Sprintf("%s.args[%d]", at, i), "at most %d bytes and no zero byte", maxArg)
		}
	}
	if len(env) > maxEnv {
		return invalid(at+".env", "at most %d entries, here %d", maxEnv, len(env))
	}
	for _, k := range slices.Sorted(maps.Keys(env)) {
		field := at + ".env"
		if !envForm.MatchString(k) {
			return invalid(field, "%q is no variable name", k)
		}
		if strings.HasPrefix(k, "IEXEC_") || strings.HasPrefix(k, "LD_") {
			return invalid(field, "%q is reserved: names that begin with IEXEC_ or LD_ are the worker's", k)
		}
		if len(env[k]) > maxArg || strings.ContainsRune(env[k], 0) {
			return invalid(field, "%s: at most %d bytes and no zero byte", k, maxArg)
		}
	}
	if len(inputs) > maxInputs {
		return invalid(at+".inputs", "at most %d inputs, here %d", maxInputs, len(inputs))
	}
	names := map[string]bool{}
	for i, in := range inputs {
		field := fmt.Sprintf("%s.inputs[%d]", at, i)
		switch {
		case !nameForm.MatchString(in.Name):
			return invalid(field+".name", "letters, digits, dot, dash and underscore, at most 128, here %q", in.Name)
		case names[in.Name]:
			return invalid(field+".name", "%q stands twice", in.Name)
		case in.Size < 0 || in.Size > maxFile:
			return invalid(field+".size", "0 to %d bytes (MAXFILESIZE), here %d", maxFile, in.Size)
		}
		if _, err := pool.ParseDigest(in.SHA256); err != nil || in.SHA256 != strings.ToLower(in.SHA256) {
			return invalid(field+".sha256", "64 lower-case hexadecimal characters")
		}
		names[in.Name] = true
	}
	return nil
}

func (a App) parse(at string) (pool.App, error) {
	switch pool.AppType(a.Type) {
	case pool.ProcessApp:
		if !nameForm.MatchString(a.Name) {
			return pool.App{}, invalid(at+".name", "a program's name: letters, digits, dot, dash and underscore, here %q", a.Name)
		}
	case pool.DockerApp:
		if !imageForm.MatchString(a.Name) {
			return pool.App{}, invalid(at+".name", "an image reference, here %q", a.Name)
		}
	default:
		return pool.App{}, invalid(at+".type", "process or docker, here %q", a.Type)
	}
	return pool.App{Type: pool.AppType(a.Type), Name: a.Name}, nil
}

func (d Demands) parse(at string) (pool.Demands, error) {
	var none pool.Demands
	for _, n := range []struct {
		field string
		value int64
		limit int64
	}{
		{"cpu", int64(d.CPU), 4096}, {"memory_mb", d.MemoryMB, 1 << 30}, {"disk_mb", d.DiskMB, 1 << 40}, {"gpu", int64(d.GPU), 1024},
	} {
		if n.value < 0 || n.value > n.limit {
			return none, invalid(at+"."+n.field, "0 to %d, here %d", n.limit, n.value)
		}
	}
	for _, w := range []struct{ field, value string }{{"tee", d.TEE}, {"os", d.OS}, {"arch", d.Arch}} {
		if w.value != "" && !tagForm.MatchString(w.value) {
			return none, invalid(at+"."+w.field, "lower-case letters, digits, dot, dash, colon and underscore, here %q", w.value)
		}
	}
	if d.MinVersion != "" && !versionForm.MatchString(d.MinVersion) {
		return none, invalid(at+".min_version", "MAJOR.MINOR.PATCH, here %q", d.MinVersion)
	}
	tags, err := parseTags(at+".tags", d.Tags)
	if err != nil {
		return none, err
	}
	notTags, err := parseTags(at+".not_tags", d.NotTags)
	if err != nil {
		return none, err
	}
	return pool.Demands{
		CPU: d.CPU, MemoryMB: d.MemoryMB, DiskMB: d.DiskMB, GPU: d.GPU, TEE: d.TEE,
		Tags: tags, NotTags: notTags, OS: d.OS, Arch: d.Arch, MinVersion: d.MinVersion,
	}, nil
}

func parseTags(at string, tags []string) ([]string, error) {
	if len(tags) > maxTags {
		return nil, invalid(at, "at most %d tags, here %d", maxTags, len(tags))
	}
	for i, t := range tags {
		if !tagForm.MatchString(t) {
			return nil, invalid(fmt.Sprintf("%s[%d]", at, i), "lower-case letters, digits, dot, dash, colon and underscore, here %q", t)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(tags))), nil
}

// ParseIdempotencyKey checks the Idempotency-Key header; "" is "none given".
func ParseIdempotencyKey(key string) error {
	if key != "" && !keyForm.MatchString(key) {
		return invalid("Idempotency-Key", "1 to %d letters, digits, dots, dashes, colons, slashes and underscores", maxKey)
	}
	return nil
}

func (i Input) pool() pool.Input {
	digest, _ := pool.ParseDigest(i.SHA256) // checked before
	return pool.Input{Name: i.Name, Digest: digest, Size: i.Size}
}

func defaulted(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}
