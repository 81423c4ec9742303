// Package start proves how a badly set up function fails: the real programs are
// started with parameters that are missing or wrong, and have to end at once,
// naming each of them. It tests nothing that needs a running pool.
package start

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/infra/local/secrets"
)

// The parameters that must be there, and those that may be wrong, by function.
var (
	needed = map[string][]string{
		"submit":    {"DBHOST", "DBNAME", "DBSECRET", "POOLNAME", "JWTETHISSUER", "TOKENSECRET", "QUEUEURL", "BUCKET"},
		"heartbeat": {"DBHOST", "DBNAME", "DBSECRET", "POOLNAME", "JWTETHISSUER", "TOKENSECRET", "QUEUEURL", "BUCKET"},
		"query":     {"DBHOST", "DBNAME", "DBSECRET", "POOLNAME", "JWTETHISSUER", "TOKENSECRET", "BUCKET"},
		"session":   {"DBHOST", "DBNAME", "DBSECRET", "POOLNAME", "JWTETHISSUER", "TOKENSECRET"},
		"operate":   {"DBHOST", "DBNAME", "DBSECRET", "POOLNAME", "JWTETHISSUER", "TOKENSECRET", "QUEUEURL"},
		"dispatch":  {"DBHOST", "DBNAME", "DBSECRET", "POOLNAME", "WALLETSECRET"},
		"reconcile": {"DBHOST", "DBNAME", "DBSECRET", "POOLNAME", "QUEUEURL"},
		"migrate":   {"DBHOST", "DBNAME", "DBSECRET", "DBUSERSECRET", "BOOTSTRAPSECRET"},
	}
	wrong = map[string][]string{
		"LOGGERLEVEL":          {"LOUD", "info", "INFO "},
		"BLOCKCHAINETHENABLED": {"yes", "False", "1"},
		"MAXFILESIZE":          {"0", "-1", "five", "5MB", "500m", "99999999999G", "1.5G"},
		"S3PATHSTYLE":          {"yes", "1", "TRUE"},
		"HEARTBEATBUSY":        {"0", "61", "5s", "-5"},
		"HEARTBEATIDLE":        {"0", "61", "1.5", "soon"},

		"HEARTBEAT_CALLS_PER_S": {"0", "-1", "100001", "0.5", "many"},
		"DISPATCHLEASE":         {"maybe", "true", "OFF"},
	}
	optional = map[string][]string{
		"submit":    {"S3PATHSTYLE", "MAXFILESIZE"},
		"heartbeat": {"S3PATHSTYLE", "MAXFILESIZE", "HEARTBEATBUSY", "HEARTBEATIDLE", "HEARTBEAT_CALLS_PER_S", "BLOCKCHAINETHENABLED"},
		"query":     {"S3PATHSTYLE", "MAXFILESIZE", "BLOCKCHAINETHENABLED"},
		"dispatch":  {"DISPATCHLEASE", "BLOCKCHAINETHENABLED"},
		"reconcile": {"BLOCKCHAINETHENABLED"},
		"operate":   {"BLOCKCHAINETHENABLED"},
	}
	free = map[string][]string{ // any text, or none
		"dispatch":  {"WALLETKMSKEY"},
		"query":     {"WORKERPOOLADDRESS"},
		"reconcile": {"WALLETKMSKEY"},
	}
	// chained are those of reconcile that count with the chain only: needed ones, and wrong values.
	chained = map[string][]string{
		"ETHNODE": {"", "mainnet", "ftp://node"}, "IEXECHUBCONTRACT": {"", "0x12", "hub"}, "RLCCONTRACT": {"", "0xzz"},
		"WORKERPOOLADDRESS": {"", "0x0000000000000000000000000000000000000000"}, "WALLETSECRET": {""},
		"CHAINID": {"0", "arbitrum"}, "MAXGASPRICE": {"-1", "cheap"}, "CHAINLOGRANGE": {"0", "100001"}, "CHAINFINALITY": {"soon"}, "CHAINPOLL": {"0", "61"}, "CHAINSTARTBLOCK": {"-1", "genesis"},
	}
	everywhere = []string{"LOGGERLEVEL"}
)

const (
	root = "../.."
	key  = "kG7u!x2Qm9Zr4Tw8Lp1Vb6Nc3Yd5Hs0Ej"
	soon = 20 * time.Second // a machine under load; a start takes milliseconds
)

var programs string // the folder with the built functions

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if programs, err = os.MkdirTemp("", "workerpool-start"); err != nil {
		fmt.Fprintln(os.Stderr, "making a folder for the functions:", err)
		return 1
	}
	defer os.RemoveAll(programs)
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", programs+"/", "./functions/...")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the functions: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// good is an environment with which every function starts.
func good(t *testing.T, token map[string]string) map[string]string {
	t.Helper()
	text, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"DBHOST": "127.0.0.1:1", "DBNAME": "pool", "DBSECRET": "db", "DBUSERSECRET": "user", "BOOTSTRAPSECRET": "bootstrap", "POOLNAME": "demo",
		"JWTETHISSUER": "issuer", "TOKENSECRET": "token", "WALLETSECRET": "wallet", "QUEUEURL": "http://127.0.0.1:1/000000000000/rings", "BUCKET": "files",
		"LOGGERLEVEL": "INFO", "BLOCKCHAINETHENABLED": "false", "MAXFILESIZE": "500M", "S3PATHSTYLE": "true", "HEARTBEATBUSY": "5", "HEARTBEATIDLE": "30",
		"HEARTBEAT_CALLS_PER_S": "20", "DISPATCHLEASE": "on", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": vault(t, map[string]string{"token": string(text)}),
	}
}

// vault is a secret store with these contents.
func vault(t *testing.T, contents map[string]string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secrets.json")
	text, err := json.Marshal(contents)
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(secrets.New(secrets.Config{File: file}))
	t.Cleanup(server.Close)
	return server.URL
}

func without(env map[string]string, names ...string) map[string]string {
	out := maps.Clone(env)
	for _, name := range names {
		delete(out, name)
	}
	return out
}

func with(env map[string]string, name, value string) map[string]string {
	out := maps.Clone(env)
	out[name] = value
	return out
}

// fails starts a function, which has to end at once and not well, and gives its
// log. The runtime it would ask for work must not hear of it.
func fails(t *testing.T, function string, env map[string]string) string {
	t.Helper()
	runtime := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s came up and asked for %s", function, r.URL.Path)
		panic(http.ErrAbortHandler)
	}))
	defer runtime.Close()
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	out, err := command(ctx, function, env, runtime).CombinedOutput()
	if ctx.Err() != nil {
		t.Fatalf("%s did not end: %s", function, out)
	}
	if err == nil {
		t.Errorf("%s ended well: %s", function, out)
	}
	return string(out)
}

func command(ctx context.Context, function string, env map[string]string, runtime *httptest.Server) *exec.Cmd {
	c := exec.CommandContext(ctx, filepath.Join(programs, function))
	c.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(runtime.URL, "http://")}
	for name, value := range env {
		c.Env = append(c.Env, name+"="+value)
	}
	return c
}

// names holds a log to the parameters that it should complain of, and no others.
func names(t *testing.T, log string, want ...string) {
	t.Helper()
	for name := range good(t, nil) {
		if strings.HasPrefix(name, "AWS_") {
			continue
		}
		said := regexp.MustCompile(`(\\n|[^A-Za-z])` + name + ` (is|starts)\b`).MatchString(log)
		if should := slices.Contains(want, name); said != should {
			t.Errorf("complains of %s: %v, want %v: %s", name, said, should, log)
		}
	}
}

func eachFunction(t *testing.T, test func(t *testing.T, function string)) {
	for function := range needed {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			test(t, function)
		})
	}
}

// With good parameters every function comes up, so that what the other tests see
// is owed to what they spoil.
func TestGood(t *testing.T) {
	t.Parallel()
	eachFunction(t, func(t *testing.T, function string) {
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		asked := make(chan string, 1)
		runtime := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			asked <- r.URL.Path
			<-r.Context().Done()
		}))
		defer runtime.Close()
		env := good(t, map[string]string{"current": key, "previous": ""})
		for name := range wrong { // all of them have defaults
			delete(env, name)
		}
		var log strings.Builder
		c := command(ctx, function, env, runtime)
		c.Stdout, c.Stderr = &log, &log
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		select {
		case path := <-asked:
			if !strings.HasSuffix(path, "/runtime/invocation/next") {
				t.Errorf("asked for %s", path)
			}
			cancel()
			<-ended
		case err := <-ended:
			t.Errorf("did not come up: %v: %s", err, log.String())
		}
	})
}

// Each parameter alone is named when it is missing, empty or ends in white space.
func TestMissing(t *testing.T) {
	t.Parallel()
	eachFunction(t, func(t *testing.T, function string) {
		env := good(t, nil)
		for _, name := range needed[function] {
			names(t, fails(t, function, without(env, name)), name)
			names(t, fails(t, function, with(env, name, "")), name)
			log := fails(t, function, with(env, name, "some-where "))
			names(t, log, name)
			if strings.Contains(log, "some-where") {
				t.Errorf("the log repeats the value of %s: %s", name, log)
			}
		}
	})
}

// Each parameter with a set of values is named when it has another.
func TestWrong(t *testing.T) {
	t.Parallel()
	eachFunction(t, func(t *testing.T, function string) {
		env := good(t, nil)
		for _, name := range append(optional[function], everywhere...) {
			for _, value := range wrong[name] {
				names(t, fails(t, function, with(env, name, value)), name)
			}
		}
	})
}

// With the chain each of its parameters is named when it is missing or wrong, and
// without it none is.
func TestChained(t *testing.T) {
	t.Parallel()
	env := good(t, map[string]string{"current": key, "previous": ""})
	maps.Copy(env, map[string]string{
		"BLOCKCHAINETHENABLED": "true", "ETHNODE": "http://127.0.0.1:1", "IEXECHUBCONTRACT": "0x" + strings.Repeat("1a", 20),
		"RLCCONTRACT": "0x" + strings.Repeat("2b", 20), "WORKERPOOLADDRESS": "0x" + strings.Repeat("3c", 20),
	})
	for name, values := range chained {
		for _, value := range values {
			log := fails(t, "reconcile", with(env, name, value))
			for other := range chained {
				if said := strings.Contains(log, other+" is") || strings.Contains(log, other+": found"); said != (name == other) {
					t.Errorf("%s=%q: complains of %s: %v: %s", name, value, other, said, log)
				}
			}
		}
	}
	all := fails(t, "reconcile", without(env, "ETHNODE", "IEXECHUBCONTRACT", "RLCCONTRACT", "WORKERPOOLADDRESS", "WALLETSECRET"))
	for _, name := range []string{"ETHNODE", "IEXECHUBCONTRACT", "RLCCONTRACT", "WORKERPOOLADDRESS", "WALLETSECRET"} {
		if !strings.Contains(all, name+" is not set") {
			t.Errorf("nothing of %s in %s", name, all)
		}
	}
}

// With the chain a wallet that cannot be opened stops the start, and the reason
// tells of nothing that is in it.
func TestWallet(t *testing.T) {
	t.Parallel()
	for content, says := range map[string]string{
		`{"keystore":"","password":""}`:              "neither",
		`{"keystore":"{}","password":"sesame-open"}`: "keystore",
		`{"key":"sesame-open"}`:                      "not hexadecimal",
		`sesame-open`:                                "not a JSON object",
	} {
		env := with(good(t, map[string]string{"current": key, "previous": ""}), "BLOCKCHAINETHENABLED", "true")
		env["AWS_ENDPOINT_URL"] = vault(t, map[string]string{"wallet": content})
		log := fails(t, "dispatch", env)
		if !strings.Contains(log, "WALLETSECRET") || !strings.Contains(log, says) || strings.Contains(log, "sesame-open") {
			t.Errorf("%s: %s", content, log)
		}
	}
}

// Whoever sets up a function badly learns of all faults at once.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	eachFunction(t, func(t *testing.T, function string) {
		env := without(good(t, nil), needed[function]...)
		bad := append(slices.Clone(optional[function]), everywhere...)
		for _, name := range bad {
			env[name] = wrong[name][0]
		}
		names(t, fails(t, function, env), append(bad, needed[function]...)...)
	})
}

// The tables above are what the functions read.
func TestTablesAreWhole(t *testing.T) {
	t.Parallel()
	reads := regexp.MustCompile(`\b[ce]\.[A-Z][A-Za-z]*\("([A-Z0-9_]+)"`)
	folders, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if folder.Name() == "check" {
			continue // it comes up with anything: what is wrong is what it answers (TestCheckStops)
		}
		source, err := os.ReadFile(filepath.Join(root, "functions", folder.Name(), "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		var read []string
		for _, found := range reads.FindAllStringSubmatch(string(source), -1) {
			read = append(read, found[1])
		}
		known := slices.Concat(needed[folder.Name()], optional[folder.Name()], free[folder.Name()], everywhere)
		if folder.Name() == "reconcile" {
			known = append(known, slices.Collect(maps.Keys(chained))...)
		}
		slices.Sort(read)
		slices.Sort(known)
		if !slices.Equal(read, known) {
			t.Errorf("%s reads %v, and the tables have %v", folder.Name(), read, known)
		}
	}
	if len(folders) != len(needed)+1 {
		t.Errorf("%d functions, %d in the table and check", len(folders), len(needed))
	}
}

// A function that hands out or checks tokens does not come up with a secret that
// is missing, too short or a sample, and does not repeat it.
func TestTokenSecret(t *testing.T) {
	t.Parallel()
	for function, parameters := range needed {
		if !slices.Contains(parameters, "TOKENSECRET") {
			continue
		}
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			for which, token := range map[string]map[string]string{
				"current": {"current": "tooShort-7x", "previous": ""}, "current ": {"previous": key}, "current  ": {},
				"current   ": {"current": "change-me-change-me-change-me-change-me"}, "current    ": {"current": strings.Repeat("aB", 20)},
				"previous": {"current": key, "previous": "tooShort-7x"},
			} {
				log := fails(t, function, good(t, token))
				if want := "the " + strings.TrimSpace(which) + " token secret is refused"; !strings.Contains(log, want) {
					t.Errorf("%v: want %q: %s", token, want, log)
				}
				for _, value := range token {
					if value != "" && strings.Contains(log, value) {
						t.Errorf("the log repeats a secret: %s", log)
					}
				}
			}
			log := fails(t, function, with(good(t, nil), "TOKENSECRET", "nowhere"))
			if !strings.Contains(log, "getting the token secrets") {
				t.Errorf("no word of the secret that is not there: %s", log)
			}
		})
	}
}
