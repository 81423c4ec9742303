package start

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	local "workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

const phrase = "sesame-open-long"

// ground is a chain with iExec's contracts on which a pool's parameters are right.
type ground struct {
	env    map[string]string // of the function check
	hub    pool.Address
	owner  pool.Address
	sealed string // the owner's keystore
}

func newGround(t *testing.T) ground {
	t.Helper()
	on, err := local.Start(local.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := on.Close(); err != nil {
			t.Error(err)
		}
	})
	at, err := contracts.Deploy(t.Context(), on)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	file, err := key.Seal(phrase)
	if err != nil {
		t.Fatal(err)
	}
	entries, owner := poco.NewWorkerpoolRegistry(), common.Address(key.Address())
	answer, err := on.View(t.Context(), at.WorkerpoolRegistry, entries.PackPredictWorkerpool(owner, "pool"))
	if err != nil {
		t.Fatal(err)
	}
	made, err := entries.UnpackPredictWorkerpool(answer)
	if err == nil {
		_, err = on.Rich().Do(t.Context(), local.To(at.WorkerpoolRegistry, entries.PackCreateWorkerpool(owner, "pool")))
	}
	if err != nil {
		t.Fatal(err)
	}
	g := ground{hub: at.Hub, owner: key.Address(), sealed: string(file)}
	g.env = map[string]string{
		"LOGGERLEVEL": "INFO", "BLOCKCHAINETHENABLED": "true", "ETHNODE": on.URL(), "CHAINID": fmt.Sprint(on.ID()), "IEXECHUBCONTRACT": at.Hub.String(),
		"RLCCONTRACT": at.RLC.String(), "WORKERPOOLADDRESS": pool.Address(made).String(), "WALLETSECRET": "wallet", "WALLETKMSKEY": "", "CHAINFINALITY": "latest",
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": wallet(t, g.sealed, phrase),
	}
	return g
}

// wallet is a secret store with a wallet in it.
func wallet(t *testing.T, keystore, password string) string {
	t.Helper()
	text, err := json.Marshal(map[string]string{"keystore": keystore, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	return vault(t, map[string]string{"wallet": string(text)})
}

// told is CloudFormation's part of an answer that is looked at.
type told struct{ Status, Reason, PhysicalResourceID string }

// deploy starts the real function, hands it a recorded event as Lambda does, and
// gives what it tells CloudFormation, and its log.
func deploy(t *testing.T, env map[string]string, event string) (told, string) {
	t.Helper()
	answers := make(chan told, 1)
	cloud := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var got told
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Method != http.MethodPut {
			t.Errorf("%s: %v", r.Method, err)
		}
		answers <- got
	}))
	defer cloud.Close()
	text, err := os.ReadFile(filepath.Join(root, "events", event+".json"))
	if err != nil {
		t.Fatal(err)
	}
	const recorded = "https://cloudformation-custom-resource-response-useast1.s3.amazonaws.com"
	if !strings.Contains(string(text), recorded) {
		t.Fatalf("%s is answered elsewhere", event)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
	defer cancel()
	done := make(chan string, 1)
	given := false
	runtime := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/invocation/next") && !given:
			given = true
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "r-1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", "32503680000000")
			_, _ = io.WriteString(w, strings.ReplaceAll(string(text), recorded, cloud.URL))
		case strings.HasSuffix(r.URL.Path, "/invocation/next"):
			<-r.Context().Done()
		default:
			answer, _ := io.ReadAll(r.Body) // what is cut off is seen
			w.WriteHeader(http.StatusAccepted)
			done <- r.URL.Path + " " + string(answer)
		}
	}))
	defer runtime.Close()
	var log strings.Builder
	c := command(ctx, "check", env, runtime)
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var end string
	select {
	case end = <-done:
	case <-ctx.Done():
	}
	cancel()
	_ = c.Wait() // it was killed
	if !strings.HasSuffix(end, `/response {"fault":""}`) {
		t.Fatalf("the function ended with %q: %s", end, log.String())
	}
	select {
	case got := <-answers:
		return got, log.String()
	default:
		t.Fatalf("CloudFormation was told nothing: %s", log.String())
	}
	return told{}, ""
}

// Each wrong parameter stops a deployment, by the words that say which and why, and
// an update as well.
func TestCheckStops(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	nobody := "0x00000000000000000000000000000000000000ff"
	stranger, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := stranger.Seal(phrase)
	if err != nil {
		t.Fatal(err)
	}
	hub, at := ", expected iExec's hub on chain 31337", g.env["WORKERPOOLADDRESS"]
	for name, c := range map[string]struct {
		change map[string]string
		says   string
	}{
		"another chain":    {map[string]string{"CHAINID": ""}, "CHAINID: found a node (ETHNODE) of chain 31337, expected one of chain 42161"},
		"no number":        {map[string]string{"CHAINID": "arbitrum"}, "the environment has 1 faults:\nCHAINID is \"arbitrum\", not a whole number from 1 to 9007199254740992"},
		"no hub":           {map[string]string{"IEXECHUBCONTRACT": nobody}, "IEXECHUBCONTRACT: found " + nobody + ", where nothing answers domain" + hub},
		"another token":    {map[string]string{"RLCCONTRACT": nobody}, "RLCCONTRACT: found " + nobody + ", expected the hub's token " + g.env["RLCCONTRACT"]},
		"no pool":          {map[string]string{"WORKERPOOLADDRESS": g.hub.String()}, "WORKERPOOLADDRESS: found " + g.hub.String() + ", which is not in it, expected a workerpool of the hub's registry 0x"},
		"a blank pool":     {map[string]string{"WORKERPOOLADDRESS": ""}, "WORKERPOOLADDRESS: found nothing, expected the address of the pool on the chain, 0x and 40 hexadecimal characters"},
		"a wrong password": {map[string]string{"AWS_ENDPOINT_URL": wallet(t, g.sealed, "sesame-shut-long")}, "WALLETSECRET: found the password does not open the keystore, expected a keystore and the password that opens it"},
		"another's wallet": {map[string]string{"AWS_ENDPOINT_URL": wallet(t, string(other), phrase)}, "WORKERPOOLADDRESS: found " + at + ", owned by " + g.owner.String() + ", expected one owned by the pool's wallet " + stranger.Address().String()},
		"no wallet yet":    {map[string]string{"AWS_ENDPOINT_URL": wallet(t, "", "")}, `WALLETSECRET: found the wallet's secret has neither "keystore" (with "password") nor "key", expected a keystore`},
		"no key in KMS":    {map[string]string{"WALLETKMSKEY": "arn:aws:kms:us-east-1:0:key/k"}, "WALLETKMSKEY: found "},
		"all at once": {map[string]string{"CHAINID": "1", "RLCCONTRACT": nobody, "WORKERPOOLADDRESS": "", "AWS_ENDPOINT_URL": wallet(t, "", "")},
			"WORKERPOOLADDRESS: found nothing, expected the address of the pool on the chain, 0x and 40 hexadecimal characters; WALLETSECRET: found the wallet's secret has neither " +
				`"keystore" (with "password") nor "key", expected a keystore and the password that opens it; CHAINID: found a node (ETHNODE) of chain 31337, expected one of chain 1; ` +
				"RLCCONTRACT: found " + nobody + ", expected the hub's token " + g.env["RLCCONTRACT"]},
	} {
		env := maps.Clone(g.env)
		maps.Copy(env, c.change)
		for _, event := range []string{"check-create", "check-update"} {
			got, log := deploy(t, env, event)
			if got.Status != "FAILED" || !strings.HasPrefix(got.Reason, c.says) || got.PhysicalResourceID != "StartCheck" {
				t.Errorf("%s, %s: %+v, want %s", name, event, got, c.says)
			}
			if strings.Contains(got.Reason+log, "sesame") {
				t.Errorf("%s: the password is told: %s %s", name, got.Reason, log)
			}
		}
	}
}

// What fits goes on; a node that is away stops what is new and nothing else; a
// deletion and a pool without a chain ask nobody.
func TestCheckLetsGoOn(t *testing.T) {
	t.Parallel()
	g := newGround(t)
	for _, event := range []string{"check-create", "check-update", "check-delete"} {
		if got, log := deploy(t, g.env, event); got != (told{Status: "SUCCESS", PhysicalResourceID: "StartCheck"}) {
			t.Errorf("%s: %+v: %s", event, got, log)
		}
	}
	secret := with(g.env, "ETHNODE", "http://127.0.0.1:1/v3/0123456789abcdef")
	const away = "ETHNODE: found unavailable: the node is not reachable just now, try again: "
	got, log := deploy(t, secret, "check-create")
	if got.Status != "FAILED" || !strings.HasPrefix(got.Reason, away) || !strings.HasSuffix(got.Reason, ", expected a node of chain 31337") {
		t.Errorf("created without a node: %+v", got)
	}
	if strings.Contains(got.Reason+log, "0123456789abcdef") {
		t.Errorf("the node's key is told: %s %s", got.Reason, log)
	}
	got, log = deploy(t, secret, "check-update")
	if got != (told{Status: "SUCCESS", PhysicalResourceID: "StartCheck"}) || !strings.Contains(log, "not checked, the deployment goes on") || !strings.Contains(log, away) {
		t.Errorf("changed without a node: %+v: %s", got, log)
	}
	for event, env := range map[string]map[string]string{
		"check-delete": {}, // whatever it is told
		"check-create": with(with(secret, "BLOCKCHAINETHENABLED", "false"), "CHAINID", "arbitrum"),
	} {
		if got, log := deploy(t, env, event); got.Status != "SUCCESS" {
			t.Errorf("%s without a chain: %+v: %s", event, got, log)
		}
	}
}
