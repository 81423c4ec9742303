package wire_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

func aDeal() pool.Deal {
	return pool.Deal{First: 3, Tasks: 2, T: 5 * time.Minute, Trust: 5, Image: "docker.io/iexechub/python-hello-world:8.0.0", AppType: "DOCKER", Params: `{"iexec_args":"Alice"}`}
}

func TestFromDeal(t *testing.T) {
	d := aDeal()
	d.Tag, d.Callback = pool.Hash{30: 1, 31: 9}, pool.Address{1}
	got, err := wire.FromDeal(d)
	if err != nil {
		t.Fatal(err)
	}
	want := pool.Demands{App: pool.App{Type: pool.DockerApp, Name: d.Image}, RunLimit: d.T, Wallet: true, TEE: "tdx", GPU: 1}
	if diff := cmp.Diff(want, got.Demands); diff != "" || got.Trust != 5 || len(got.Inputs) != 0 {
		t.Errorf("%+v\n%s", got, diff)
	}
	spec, err := wire.Spec(got.Template, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(pool.Spec{
		App: want.App, Args: []string{"Alice"}, Env: map[string]string{"IEXEC_BOT_SIZE": "2", "IEXEC_BOT_FIRST_INDEX": "3"},
	}, spec); diff != "" {
		t.Error(diff)
	}
}

// The arguments of what iExec's clients write, and of what they would not.
func TestArgumentsOfADeal(t *testing.T) {
	for params, want := range map[string][]string{
		`{"iexec_args":""}`:                    nil,
		``:                                     nil,
		`{}`:                                   nil,
		`plain words here`:                     {"plain", "words", "here"}, // not JSON: all of it is the argument
		`{"iexec_args":5}`:                     {`{iexec_args:5}`},
		`"text"`:                               {"text"},
		`{"iexec_args":" a  b\tc\nd "}`:        {"a", "b", "c", "d"},
		`{"iexec_args":"'a b' \"c d\" e\\ f"}`: {"a b", "c d", "e f"},
		`{"iexec_args":"'' \"\" a''b"}`:        {"", "", "ab"},
		`{"iexec_args":"'it''s' \"it's\""}`:    {"its", "it's"},
		`{"iexec_args":"\"a \\\"b\\\" \\\\ \\n\""}`: {`a "b" \ \n`},
		`{"iexec_args":"'\\n' \\"}`:                 {`\n`, `\`},
		`{"iexec_args":"\"never closed"}`:           {"never closed"},
		`{"iexec_args":"x=$HOME;rm *"}`:             {"x=$HOME;rm", "*"}, // words only: nothing is expanded
	} {
		d := aDeal()
		d.Params = params
		got, err := wire.FromDeal(d)
		if err != nil {
			t.Fatalf("%s: %v", params, err)
		}
		spec, err := wire.Spec(got.Template, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(append([]string{}, want...), spec.Args); diff != "" {
			t.Errorf("%s:\n%s", params, diff)
		}
	}
}

func TestTrustedEnvironmentsOfADeal(t *testing.T) {
	for low, want := range map[byte]string{0: "", 2: "", 8: "", 1: "tee", 3: "scone", 5: "gramine", 9: "tdx", 0xf0: ""} {
		d := aDeal()
		d.Tag = pool.Hash{31: low}
		if got, err := wire.FromDeal(d); err != nil || got.Demands.TEE != want || got.Demands.GPU != 0 {
			t.Errorf("%x: %+v, %v", low, got.Demands, err)
		}
	}
}

func TestDealsThatCannotBeServed(t *testing.T) {
	many := strings.Repeat(`"http://x",`, 64) + `"http://x"`
	for want, change := range map[string]func(*pool.Deal){
		"type":             func(d *pool.Deal) { d.AppType = "docker" },
		"cannot be run":    func(d *pool.Deal) { d.Image = "no image" },
		"no name":          func(d *pool.Deal) { d.Image = "" },
		"its dataset lies": func(d *pool.Deal) { d.Dataset = pool.Address{1} },
		"into a trusted":   func(d *pool.Deal) { d.Dataset, d.DatasetAt, d.Tag = pool.Address{1}, "http://x", pool.Hash{31: 1} },
		"input file 2":     func(d *pool.Deal) { d.Params = `{"iexec_input_files":["http://x","x"]}` },
		"encrypted":        func(d *pool.Deal) { d.Params = `{"iexec_result_encryption":true}` },
		"trust":            func(d *pool.Deal) { d.Trust = pool.MaxTrust + 1 },
		"65 files":         func(d *pool.Deal) { d.Params = `{"iexec_input_files":[` + many + `]}` },
		"arguments":        func(d *pool.Deal) { d.Params = strings.Repeat("a ", 257) },
		"zero byte":        func(d *pool.Deal) { d.Params = "a\x00b" },
		"more than 65536":  func(d *pool.Deal) { d.Params = strings.Repeat("a", 70_000) },
		"of the type \"WA": func(d *pool.Deal) { d.AppType = "WA" + strings.Repeat("SM", 1_000) },
	} {
		d := aDeal()
		change(&d)
		_, err := wire.FromDeal(d)
		var refused *pool.Error
		if !errors.As(err, &refused) || refused.Kind != pool.Invalid || len(refused.Message) > 200 {
			t.Errorf("%s: %v", want, err)
		} else if want != "no name" && !strings.Contains(refused.Message, want) {
			t.Errorf("%q does not say %q", refused.Message, want)
		}
	}
}

// Whatever a requester writes, a deal is served or refused, and comes back from the
// books as it was.
func TestAnyDeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := aDeal()
		d.Params = rapid.String().Draw(t, "params")
		d.AppType = rapid.SampledFrom([]string{"DOCKER", "PROCESS", "?"}).Draw(t, "type")
		d.Image = rapid.String().Draw(t, "image")
		for _, a := range []*pool.Address{&d.App, &d.Dataset, &d.Requester, &d.Beneficiary, &d.Callback} {
			a[0] = rapid.Byte().Draw(t, "address")
		}
		d.Tag[31] = rapid.Byte().Draw(t, "tag")
		d.DatasetAt, d.DatasetSum[0] = rapid.String().Draw(t, "at"), rapid.Byte().Draw(t, "sum")
		if got, err := wire.FromDeal(d); err == nil {
			if _, err := wire.Spec(got.Template, nil); err != nil {
				t.Fatal(err)
			}
		} else if pool.KindOf(err) != pool.Invalid {
			t.Fatal(err)
		}
		text, err := wire.EncodeTerms(d)
		if err != nil {
			t.Fatal(err)
		}
		back := pool.Deal{First: d.First, Tasks: d.Tasks, T: d.T, Trust: d.Trust}
		if err := wire.DecodeTerms(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, back); diff != "" {
			t.Fatal(diff)
		}
	})
	for _, text := range []string{"", "{", `{"app":"0x"}`, `{"app":"0x00000000000000000000000000000000000000aa","requester":"","tag":"0x1"}`} {
		if err := wire.DecodeTerms([]byte(text), &pool.Deal{}); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}
