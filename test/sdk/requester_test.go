//go:build sdk

package sdk

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"workerpool/shared/pool"
)

// requester is somebody who has iExec's client, a wallet that it made, and a folder
// in which it is called.
type requester struct {
	*stage
	t       *testing.T
	dir     string
	address pool.Address
}

// requester lets iExec's client make a wallet and a folder to work in, gives it
// money, and lets it deposit as much as it says. Gateway is where results are.
func (s *stage) requester(t *testing.T, gateway string) *requester {
	t.Helper()
	r := &requester{stage: s, t: t, dir: t.TempDir()}
	var wallet struct{ Address string }
	r.iexec(&wallet, "wallet", "create")
	var err error
	if r.address, err = pool.ParseAddress(wallet.Address); err != nil {
		t.Fatal(err)
	}
	s.fund(r.address, 1000*rlc)
	r.iexec(&struct{}{}, "init", "--skip-wallet", "--force")
	r.store("chain.json", map[string]any{
		"default": "here",
		"chains": map[string]any{"here": map[string]string{
			"id": strconv.FormatUint(s.chain.ID(), 10), "host": s.chain.URL(), "hub": s.at.Hub.String(), "ipfsGateway": gateway,
		}},
	})
	var told struct{ Amount string }
	r.iexec(&told, "account", "deposit", strconv.FormatInt(int64(deposited), 10))
	if told.Amount != strconv.FormatInt(int64(deposited), 10) {
		t.Fatalf("the deposit: %+v", told)
	}
	return r
}

// store writes a file in the requester's folder.
func (r *requester) store(name string, content any) {
	r.t.Helper()
	text, err := json.Marshal(content)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, name), text, 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// change changes a file of JSON in the requester's folder, as a person would.
func (r *requester) change(name string, by func(map[string]any)) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name))
	if err != nil {
		r.t.Fatal(err)
	}
	var content map[string]any
	if err := json.Unmarshal(text, &content); err != nil {
		r.t.Fatal(err)
	}
	by(content)
	r.store(name, content)
}

// iexec calls iExec's client and reads its answer.
func (r *requester) iexec(into any, args ...string) {
	r.t.Helper()
	args = append(args, "--raw")
	if args[0] != "init" { // all others may want the wallet
		args = append(args, "--password", phrase, "--keystoredir", filepath.Join(r.dir, "keys"))
	}
	r.run(into, exec.Command(filepath.Join(modules, ".bin", "iexec"), args...))
}

// run runs a program in the requester's folder, which is its home too.
func (r *requester) run(into any, cmd *exec.Cmd) {
	r.t.Helper()
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "HOME="+r.dir)
	r.answer(into, cmd)
}

// deploy lets iExec's client register an app that is an image.
func (r *requester) deploy(image string) pool.Address {
	r.t.Helper()
	r.iexec(&struct{}{}, "app", "init")
	r.change("iexec.json", func(conf map[string]any) {
		app := conf["app"].(map[string]any)
		app["name"], app["multiaddr"] = "app of a test", image
	})
	var deployed struct{ Address string }
	r.iexec(&deployed, "app", "deploy")
	app, err := pool.ParseAddress(deployed.Address)
	if err != nil {
		r.t.Fatal(err)
	}
	return app
}

// order is what is signed on the requester's side.
type order struct {
	app    pool.Address
	volume int
	trust  int
	args   string
	over   pool.Address // the dataset; zero = none
	inputs []string     // URLs
	calls  pool.Address // the contract that gets the result; zero = none
}

// buy lets iExec's client sign for the app and the request, and make a deal of
// these and the pool's offer.
func (r *requester) buy(o order, offer []byte) (deal string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, "orders.json"), offer, 0o600); err != nil {
		r.t.Fatal(err)
	}
	sides := []string{"--app", "--request"}
	if !o.over.IsZero() {
		sides = append(sides, "--dataset")
	}
	r.iexec(&struct{}{}, append([]string{"order", "init"}, sides...)...)
	params := map[string]any{"iexec_args": o.args}
	if len(o.inputs) > 0 {
		params["iexec_input_files"] = o.inputs
	}
	r.change("iexec.json", func(conf map[string]any) {
		orders := conf["order"].(map[string]any)
		app, request := orders["apporder"].(map[string]any), orders["requestorder"].(map[string]any)
		app["app"], app["volume"] = o.app.String(), strconv.Itoa(o.volume)
		for field, value := range map[string]any{
			"app": o.app.String(), "workerpool": r.pool.String(), "workerpoolmaxprice": strconv.FormatInt(int64(price), 10),
			"volume": strconv.Itoa(o.volume), "trust": strconv.Itoa(o.trust), "category": "0", "params": params,
		} {
			request[field] = value
		}
		if !o.calls.IsZero() {
			request["callback"] = o.calls.String()
		}
		if set, ok := orders["datasetorder"].(map[string]any); ok {
			request["dataset"], set["dataset"], set["volume"] = o.over.String(), o.over.String(), strconv.Itoa(o.volume)
		}
	})
	r.iexec(&struct{}{}, append([]string{"order", "sign", "--skip-preflight-check"}, sides...)...)
	var filled struct{ DealID, Volume string }
	r.iexec(&filled, "order", "fill", "--skip-preflight-check")
	if filled.Volume != strconv.Itoa(o.volume) {
		r.t.Fatalf("the deal: %+v", filled)
	}
	return filled.DealID
}
