package wire

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"workerpool/shared/pool"
)

// terms is the stored form of what a deal says beside its numbers.
type terms struct {
	App         string `json:"app"`
	Image       string `json:"image"`
	AppType     string `json:"app_type"`
	Dataset     string `json:"dataset,omitempty"`
	DatasetAt   string `json:"dataset_at,omitempty"`
	DatasetSum  string `json:"dataset_sum,omitempty"`
	Requester   string `json:"requester"`
	Beneficiary string `json:"beneficiary"`
	Callback    string `json:"callback,omitempty"`
	Tag         string `json:"tag"`
	Params      string `json:"params"`
}

// EncodeTerms gives the stored form of what a deal says beside its numbers.
func EncodeTerms(d pool.Deal) ([]byte, error) {
	optional := func(a pool.Address) string {
		if a.IsZero() {
			return ""
		}
		return a.String()
	}
	sum := ""
	if !d.DatasetSum.IsZero() {
		sum = d.DatasetSum.String()
	}
	text, err := document(terms{
		App: d.App.String(), Image: d.Image, AppType: d.AppType, Dataset: optional(d.Dataset), Requester: d.Requester.String(),
		Beneficiary: d.Beneficiary.String(), Callback: optional(d.Callback), Tag: d.Tag.String(), Params: d.Params,
		DatasetAt: d.DatasetAt, DatasetSum: sum,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding a deal: %w", err)
	}
	return text, nil
}

// DecodeTerms reads what EncodeTerms wrote into a deal.
func DecodeTerms(text []byte, d *pool.Deal) error {
	var t terms
	if err := json.Unmarshal(text, &t); err != nil {
		return fmt.Errorf("reading a stored deal: %w", err)
	}
	for _, a := range []struct {
		into *pool.Address
		text string
	}{{&d.App, t.App}, {&d.Dataset, t.Dataset}, {&d.Requester, t.Requester}, {&d.Beneficiary, t.Beneficiary}, {&d.Callback, t.Callback}} {
		*a.into = pool.Address{}
		if a.text == "" {
			continue
		}
		var err error
		if *a.into, err = pool.ParseAddress(a.text); err != nil {
			return fmt.Errorf("reading a stored deal: %w", err)
		}
	}
	var err error
	if d.Tag, err = pool.ParseHash(t.Tag); err != nil {
		return fmt.Errorf("reading a stored deal: %w", err)
	}
	if d.DatasetSum = (pool.Digest{}); t.DatasetSum != "" {
		if d.DatasetSum, err = pool.ParseDigest(t.DatasetSum); err != nil {
			return fmt.Errorf("reading a stored deal: %w", err)
		}
	}
	d.Image, d.AppType, d.Params, d.DatasetAt = t.Image, t.AppType, t.Params, t.DatasetAt
	return nil
}

// params is what iExec's clients write into a request order. What else stands
// there (secrets, the storage's proxy) is for services this pool has not.
type params struct {
	Args      string   `json:"iexec_args"`
	Inputs    []string `json:"iexec_input_files"`
	Encrypted bool     `json:"iexec_result_encryption"`
}

// readParams reads a request order's parameters; what is not JSON of that shape
// is the argument itself, as for iExec's own scheduler.
func readParams(text string) params {
	var p params
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return params{Args: text}
	}
	return p
}

// FromDeal gives the batch that the tasks of a deal make, or pool.Invalid with
// the reason why this pool cannot serve it. Requester, Items and what follows from
// the moment are the caller's to fill in.
//
// A run finds in its environment IEXEC_BOT_SIZE, IEXEC_BOT_FIRST_INDEX and, of the
// files that its worker fetches, IEXEC_DATASET_ADDRESS, IEXEC_DATASET_FILENAME,
// IEXEC_INPUT_FILES_NUMBER and IEXEC_INPUT_FILE_NAME_1 and so on.
func FromDeal(d pool.Deal) (pool.NewBatch, error) {
	var none pool.NewBatch
	app := App{Name: d.Image}
	switch d.AppType {
	case "DOCKER":
		app.Type = string(pool.DockerApp)
	case "PROCESS":
		app.Type = string(pool.ProcessApp)
	default:
		return none, invalid("", "its application is of the type %.20q, and this pool runs DOCKER and PROCESS", d.AppType)
	}
	runs, err := app.parse("app")
	if err != nil {
		return none, invalid("", "its application cannot be run: %.60q is no name of one", d.Image)
	}
	p := readParams(d.Params)
	switch {
	case p.Encrypted:
		return none, invalid("", "it wants its result encrypted, which this pool does not do")
	case d.Trust > pool.MaxTrust:
		return none, invalid("", "it wants a trust above %d", pool.MaxTrust)
	}
	args := words(p.Args)
	env := map[string]string{"IEXEC_BOT_SIZE": strconv.Itoa(d.Tasks), "IEXEC_BOT_FIRST_INDEX": strconv.Itoa(d.First)}
	fetch, err := fetches(d, p.Inputs, env)
	if err != nil {
		return none, err
	}
	if len(args) > maxArgs || strings.ContainsRune(p.Args, 0) {
		return none, invalid("", "its arguments are more than %d, or have a zero byte", maxArgs)
	}
	template, err := document(dealTemplate{Template: Template{App: app, Args: args, Env: env, Trust: d.Trust}, Fetch: fetch})
	if err != nil {
		return none, fmt.Errorf("encoding a template: %w", err)
	}
	if len(template) > maxRun {
		return none, invalid("", "its parameters have more than %d bytes", maxRun)
	}
	demands := pool.Demands{App: runs, RunLimit: d.T, Wallet: true, TEE: tee(d.Tag)}
	if d.Tag[30]&1 != 0 {
		demands.GPU = 1
	}
	return pool.NewBatch{Demands: demands, Trust: d.Trust, Priority: pool.Normal, Template: template}, nil
}

// tee names the trusted environment that a tag demands: bit 0 asks for one, the
// three above it say which (iExec's TeeUtils).
func tee(tag pool.Hash) string {
	switch low := tag[31] & 0xf; {
	case low&1 == 0:
		return ""
	case low&2 != 0:
		return "scone"
	case low&4 != 0:
		return "gramine"
	case low&8 != 0:
		return "tdx"
	default:
		return "tee"
	}
}

// words splits arguments as a shell does: by blanks, but for what stands between
// quotes or behind a backslash. A quote that nobody closes ends with the text.
func words(text string) []string {
	var out []string
	var word strings.Builder
	begun, escaped := false, false
	var quote rune
	for _, r := range text {
		switch {
		case escaped:
			if quote == '"' && r != '"' && r != '\\' {
				word.WriteRune('\\') // between double quotes it stands for itself elsewhere
			}
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			begun, escaped = true, true
		case r == quote && quote != 0:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			begun, quote = true, r
		case quote == 0 && strings.ContainsRune(" \t\r\n", r):
			if begun {
				out = append(out, word.String())
				word.Reset()
			}
			begun = false
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	if escaped {
		word.WriteRune('\\')
	}
	if begun {
		out = append(out, word.String())
	}
	return out
}
