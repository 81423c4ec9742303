package wire

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"workerpool/shared/pool"
)

// Registration is the body of POST /workers. Key is a secret the worker makes
// once (64 hexadecimal characters) and keeps: with it, and only with it, the
// same name may be registered again to get a fresh token.
type Registration struct {
	Name         string       `json:"name"`
	Key          string       `json:"key"`
	Slots        int          `json:"slots"`
	Capabilities Capabilities `json:"capabilities"`
	Wallet       *Wallet      `json:"wallet,omitempty"` // without one no works of deals
}

// Wallet is the account that contributes to works of deals, and the word of its
// key that this worker acts for it: a personal_sign (65 bytes) over
// pool.WalletProof.
type Wallet struct {
	Address   string `json:"address"`
	Signature string `json:"signature"`
}

// Registered is the answer: the worker's id and its own token.
type Registered struct {
	Worker    int64  `json:"worker"`
	Token     string `json:"token"`
	ExpiresIn int64  `json:"expires_in"` // seconds
}

// Capabilities is what a worker can do. What it leaves out it cannot.
type Capabilities struct {
	OS       string   `json:"os,omitempty"`
	Arch     string   `json:"arch,omitempty"`
	CPU      int      `json:"cpu,omitempty"`
	MemoryMB int64    `json:"memory_mb,omitempty"`
	DiskMB   int64    `json:"disk_mb,omitempty"`
	GPU      int      `json:"gpu,omitempty"`
	TEE      []string `json:"tee,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Programs []string `json:"programs,omitempty"`
	Docker   bool     `json:"docker,omitempty"`
	MaxRunS  int64    `json:"max_run_s,omitempty"` // 0 = any
	Version  string   `json:"version,omitempty"`

	Apps       Rules `json:"apps,omitzero"`       // by application's name or image reference
	Requesters Rules `json:"requesters,omitzero"` // by requester's login
}

// Rules is what a worker's owner admits: all that Allow names (everything when it
// names nothing) but what Deny names. An entry with a "*" at its end names all
// that begin with the rest.
type Rules struct {
	Allow []string `json:"allow,omitempty"`
	Deny  []string `json:"deny,omitempty"`
}

// Heartbeat is the body of POST /workers/{id}/heartbeat. Slots and Capabilities
// are sent when they changed; Reports hold every assignment the worker has.
type Heartbeat struct {
	Slots        int           `json:"slots,omitempty"`
	Capabilities *Capabilities `json:"capabilities,omitempty"`
	Reports      []Report      `json:"reports,omitempty"`
}

// Report says where the worker is with one assignment.
type Report struct {
	Work    int64  `json:"work"`
	Attempt int    `json:"attempt"`
	State   string `json:"state"`            // running, reported, contributed, revealed, uploading, uploaded, checking, checked, wrong, failed, refused
	SHA256  string `json:"sha256,omitempty"` // of the result archive, from reported on
	Size    int64  `json:"size,omitempty"`   // bytes of the result archive
	Digest  string `json:"digest,omitempty"` // works of deals: what is contributed and revealed, from reported on
	Reason  string `json:"reason,omitempty"` // of failed and refused

	// Checks is, with checking, checked and wrong, the SHA-256 of the archive, another
	// worker's, that is looked at.
	Checks string `json:"checks,omitempty"`

	// Callback is, with uploaded and of a deal that wants its result called back,
	// what with: 0x and the hexadecimal bytes, of which digest is the keccak256.
	Callback string `json:"callback,omitempty"`
}

// Beat is the answer to a heartbeat: one instruction for each assignment that
// the worker has or reported, and when to call again.
type Beat struct {
	State          string        `json:"state"` // of the worker: active, draining, inactive
	NextHeartbeatS int           `json:"next_heartbeat_s"`
	Instructions   []Instruction `json:"instructions"`
}

// What an instruction orders.
const (
	DoStart      = "start"      // begin the run described in Run; of a deal, once it is authorised
	DoContinue   = "continue"   // go on computing
	DoHold       = "hold"       // keep the result; nothing to do yet
	DoContribute = "contribute" // commit to the result on the chain
	DoReveal     = "reveal"     // reveal the result's digest on the chain
	DoUpload     = "upload"     // bring the bytes to Upload
	DoCheck      = "check"      // look whether the archive Check, another worker's, holds the agreed result
	DoStop       = "stop"       // end the run, drop everything of it
)

// Instruction orders one thing about one assignment.
type Instruction struct {
	Work    int64  `json:"work"`
	Attempt int    `json:"attempt"`
	Do      string `json:"do"`
	Run     *Run   `json:"run,omitempty"`    // with start
	Upload  *Link  `json:"upload,omitempty"` // with upload

	Check *Download `json:"check,omitempty"` // with check

	// Authorisation is the pool's word that this worker's wallet may contribute
	// (65 bytes), with continue and contribute as soon as there is one.
	Authorisation string `json:"authorisation,omitempty"`
}

// Run is what a worker needs to run a work.
type Run struct {
	App       App               `json:"app"`
	Args      []string          `json:"args"`
	Env       map[string]string `json:"env"`
	Inputs    []Download        `json:"inputs"`
	Fetch     []Fetch           `json:"fetch,omitempty"` // of a deal's work: read beside the inputs
	Batch     int64             `json:"batch"`
	Index     int               `json:"index"` // place of the work in its batch, from 0
	RunLimitS int64             `json:"run_limit_s"`
	MaxResult int64             `json:"max_result"`     // bytes
	MemoryMB  int64             `json:"memory_mb"`      // the work's demand; 0 = the worker's own limit
	Requester string            `json:"requester"`      // login of whom it is computed for
	Task      *Task             `json:"task,omitempty"` // of a deal's work
}

// Task says which task on the chain a work is.
type Task struct {
	ID           string    `json:"id"`
	Deal         string    `json:"deal"`
	Index        int       `json:"index"`         // in the request order
	ContributeBy time.Time `json:"contribute_by"` // by the chain's clock
	FinalBy      time.Time `json:"final_by"`
	CallsBack    bool      `json:"calls_back,omitempty"` // the deal wants its result called back: computed.json says what with
}

// Download is an input, or an archive to be checked, with its link, good for 15 minutes.
type Download struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	URL    string `json:"url"`
}

const (
	maxReports = 1_000
	maxReason  = 500
	maxName    = 64
	maxRules   = 64 // entries of one list
)

// ruleForm is 1 to 255 printable characters, of which only the last may be "*".
var ruleForm = regexp.MustCompile(`^[!-)+-~]{0,254}[!-~]$`)

var workerName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Parse checks a report; maxResult bounds the result's size in bytes.
func (r Report) Parse(at string, maxResult int64) (pool.Report, error) {
	var none pool.Report
	if r.Work <= 0 {
		return none, invalid(at+".work", "the id of a work, here %d", r.Work)
	}
	if r.Attempt < 1 {
		return none, invalid(at+".attempt", "1 or more, here %d", r.Attempt)
	}
	out := pool.Report{Work: pool.WorkID(r.Work), Attempt: r.Attempt, Reason: r.Reason, Size: r.Size}
	out.Says = pool.ReportState(r.State)

	switch out.Says {
	case pool.SaysReported, pool.SaysContributed, pool.SaysRevealed, pool.SaysUploading, pool.SaysUploaded, pool.SaysChecking, pool.SaysChecked, pool.SaysWrong:
		digest, err := pool.ParseDigest(r.SHA256)
		if err != nil || digest.IsZero() {
			return none, invalid(at+".sha256", "the result's digest: 64 hexadecimal characters, not all zero")
		}
		if r.Size < 0 || r.Size > maxResult {
			return none, invalid(at+".size", "0 to %d bytes (MAXFILESIZE), here %d", maxResult, r.Size)
		}
		out.Digest = digest
		if r.Digest != "" {
			what, err := pool.ParseHash(r.Digest)
			if err != nil || what.IsZero() {
				return none, invalid(at+".digest", "what is contributed: 0x and 64 hexadecimal characters, not all zero")
			}
			out.Digest, out.File = pool.Digest(what), digest
		}
	case pool.SaysRunning, pool.SaysFailed, pool.SaysRefused:
		if r.SHA256 != "" || r.Size != 0 || r.Digest != "" {
			return none, invalid(at+".sha256", "digests and a size go with results only: not with running, failed and refused")
		}
	default:
		return none, invalid(at+".state", "running, reported, contributed, revealed, uploading, uploaded, checking, checked, wrong, failed or refused, here %q", r.State)
	}
	looks := out.Says == pool.SaysChecking || out.Says == pool.SaysChecked || out.Says == pool.SaysWrong
	if looks || r.Checks != "" {
		checks, err := pool.ParseDigest(r.Checks)
		if err != nil || checks.IsZero() || !looks {
			return none, invalid(at+".checks", "with checking, checked and wrong, and only with them: the archive's SHA-256, 64 hexadecimal characters, not all zero")
		}
		out.Checks = checks
	}
	if r.Callback != "" {
		bytes, err := hex.DecodeString(strings.TrimPrefix(r.Callback, "0x"))
		if err != nil || !strings.HasPrefix(r.Callback, "0x") || len(bytes) == 0 || len(bytes) > pool.MaxCallback || out.Says != pool.SaysUploaded {
			return none, invalid(at+".callback", "with uploaded only: 0x and the hexadecimal form of 1 to %d bytes", pool.MaxCallback)
		}
		out.Callback = string(bytes)
	}
	if len(r.Reason) > maxReason {
		return none, invalid(at+".reason", "at most %d bytes", maxReason)
	}
	if (out.Says == pool.SaysFailed || out.Says == pool.SaysRefused) && r.Reason == "" {
		return none, invalid(at+".reason", "say why it %s", r.State)
	}
	return out, nil
}

// Parse checks a heartbeat. A work reported twice in one call is refused.
func (h Heartbeat) Parse(maxResult int64) (reports []pool.Report, capabilities *pool.Capabilities, err error) {
	if h.Slots < 0 || h.Slots > pool.MaxSlots {
		return nil, nil, invalid("slots", "1 to %d, or left out when unchanged; here %d", pool.MaxSlots, h.Slots)
	}
	if len(h.Reports) > maxReports {
		return nil, nil, invalid("reports", "at most %d reports a call, here %d", maxReports, len(h.Reports))
	}
	seen := map[int64]bool{}
	for i, r := range h.Reports {
		at := fmt.Sprintf("reports[%d]", i)
		report, err := r.Parse(at, maxResult)
		if err != nil {
			return nil, nil, err
		}
		if seen[r.Work] {
			return nil, nil, invalid(at+".work", "work %d is reported twice", r.Work)
		}
		seen[r.Work] = true
		reports = append(reports, report)
	}
	if h.Capabilities != nil {
		c, err := h.Capabilities.Parse("capabilities")
		if err != nil {
			return nil, nil, err
		}
		capabilities = &c
	}
	return reports, capabilities, nil
}

// Parse checks a registration and gives its capabilities.
func (r Registration) Parse() (pool.Capabilities, error) {
	var none pool.Capabilities
	if !workerName.MatchString(r.Name) {
		return none, invalid("name", "letters, digits, dot, dash and underscore, at most %d, here %q", maxName, r.Name)
	}
	if key, err := pool.ParseDigest(r.Key); err != nil || key.IsZero() {
		return none, invalid("key", "the worker's own secret: 64 hexadecimal characters, not all zero")
	}
	if r.Slots < 1 || r.Slots > pool.MaxSlots {
		return none, invalid("slots", "1 to %d, here %d", pool.MaxSlots, r.Slots)
	}
	return r.Capabilities.Parse("capabilities")
}

// Parse checks the form of a wallet and its signature; nil is none.
func (w *Wallet) Parse(at string) (pool.Address, []byte, error) {
	if w == nil {
		return pool.Address{}, nil, nil
	}
	address, err := pool.ParseAddress(w.Address)
	if err != nil || address.IsZero() {
		return address, nil, invalid(at+".address", "0x and 40 hexadecimal characters, not all zero, here %q", w.Address)
	}
	signature, err := hex.DecodeString(strings.TrimPrefix(w.Signature, "0x"))
	if err != nil || len(signature) != 65 {
		return address, nil, invalid(at+".signature", "0x and 130 hexadecimal characters")
	}
	return address, signature, nil
}

// Parse checks capabilities.
func (c Capabilities) Parse(at string) (pool.Capabilities, error) {
	var none pool.Capabilities
	d, err := Demands{CPU: c.CPU, MemoryMB: c.MemoryMB, DiskMB: c.DiskMB, GPU: c.GPU, OS: c.OS, Arch: c.Arch, Tags: c.Tags}.parse(at)
	if err != nil {
		return none, err
	}
	tee, err := parseTags(at+".tee", c.TEE)
	if err != nil {
		return none, err
	}
	if len(c.Programs) > maxArgs {
		return none, invalid(at+".programs", "at most %d programs, here %d", maxArgs, len(c.Programs))
	}
	for i, p := range c.Programs {
		if !nameForm.MatchString(p) {
			return none, invalid(fmt.Sprintf("%s.programs[%d]", at, i), "letters, digits, dot, dash and underscore, at most 128, here %q", p)
		}
	}
	if c.MaxRunS < 0 || c.MaxRunS > 1<<31 {
		return none, invalid(at+".max_run_s", "0 (any) or seconds, here %d", c.MaxRunS)
	}
	if c.Version != "" && !versionForm.MatchString(c.Version) {
		return none, invalid(at+".version", "MAJOR.MINOR.PATCH, here %q", c.Version)
	}
	apps, err := c.Apps.parse(at + ".apps")
	if err != nil {
		return none, err
	}
	requesters, err := c.Requesters.parse(at + ".requesters")
	if err != nil {
		return none, err
	}
	return pool.Capabilities{
		OS: d.OS, Arch: d.Arch, CPU: d.CPU, MemoryMB: d.MemoryMB, DiskMB: d.DiskMB, GPU: d.GPU, TEE: tee, Tags: d.Tags,
		Programs: slices.Compact(slices.Sorted(slices.Values(c.Programs))), Docker: c.Docker,
		MaxRun: time.Duration(c.MaxRunS) * time.Second, Version: c.Version, Apps: apps, Requesters: requesters,
	}, nil
}

func (r Rules) parse(at string) (pool.Rules, error) {
	allow, err := parseRules(at+".allow", r.Allow)
	if err != nil {
		return pool.Rules{}, err
	}
	deny, err := parseRules(at+".deny", r.Deny)
	return pool.Rules{Allow: allow, Deny: deny}, err
}

func parseRules(at string, entries []string) ([]string, error) {
	if len(entries) > maxRules {
		return nil, invalid(at, "at most %d entries, here %d", maxRules, len(entries))
	}
	for i, entry := range entries {
		if !ruleForm.MatchString(entry) {
			return nil, invalid(fmt.Sprintf("%s[%d]", at, i), "1 to 255 printable characters without spaces, with * at the end only, here %q", entry)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(entries))), nil
}

// FromCapabilities is the way back.
func FromCapabilities(c pool.Capabilities) Capabilities {
	return Capabilities{
		OS: c.OS, Arch: c.Arch, CPU: c.CPU, MemoryMB: c.MemoryMB, DiskMB: c.DiskMB, GPU: c.GPU, TEE: c.TEE, Tags: c.Tags,
		Programs: c.Programs, Docker: c.Docker, MaxRunS: int64(c.MaxRun / time.Second), Version: c.Version,
		Apps: Rules(c.Apps), Requesters: Rules(c.Requesters),
	}
}

// EncodeCapabilities gives the text that is stored.
func EncodeCapabilities(c pool.Capabilities) ([]byte, error) {
	text, err := document(FromCapabilities(c))
	if err != nil {
		return nil, fmt.Errorf("encoding capabilities: %w", err)
	}
	return text, nil
}

// DecodeCapabilities reads what EncodeCapabilities wrote.
func DecodeCapabilities(text []byte) (pool.Capabilities, error) {
	var c Capabilities
	if err := json.Unmarshal(text, &c); err != nil {
		return pool.Capabilities{}, fmt.Errorf("reading stored capabilities: %w", err)
	}
	return c.Parse("capabilities")
}
