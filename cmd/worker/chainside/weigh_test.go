//go:build linux

package chainside

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

func TestWeighRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		scene  func(*scene)
		config func(*Config)
		run    func(*wire.Run)
		want   string // "" = it is taken
	}{
		"nothing wrong":  {},
		"not yet there":  {scene: func(s *scene) { s.task.Status = pool.TaskUnset }},
		"first task":     {run: ofTask(5)},
		"last task":      {run: ofTask(14)},
		"task before":    {run: ofTask(4), want: "the deal has the tasks 5 to 14, not 4"},
		"task after":     {run: ofTask(15), want: "the deal has the tasks 5 to 14, not 15"},
		"another's id":   {run: func(r *wire.Run) { r.Task.ID = ethsig.TaskID(dealID, 8).String() }, want: "task 7 of the deal is " + taskID.String()},
		"no deal's id":   {run: func(r *wire.Run) { r.Task.Deal = "0x12" }, want: "the deal's id: 0x and 64"},
		"another pool's": {scene: func(s *scene) { s.deals = nil }, want: "the chain knows no deal " + dealID.String() + " of this worker's pool"},
		"node down":      {scene: func(s *scene) { s.err = errors.New("connection refused") }, want: "the worker cannot look at the task on the chain: connection refused"},
		"TEE":            {scene: func(s *scene) { s.deals[0].Tag[31] = 0x09 }, want: "the deal asks for a trusted environment"},
		"GPU":            {scene: func(s *scene) { s.deals[0].Tag[30] = 0x01 }},
		"callback":       {scene: func(s *scene) { s.deals[0].Callback[0] = 1 }, run: func(r *wire.Run) { r.Task.CallsBack = true }},
		"callback hidden": {
			scene: func(s *scene) { s.deals[0].Callback[0] = 1 }, want: "the pool and the deal differ on whether its result is called back",
		},
		"callback made up": {run: func(r *wire.Run) { r.Task.CallsBack = true }, want: "the pool and the deal differ on whether its result is called back"},
		"price":            {config: func(c *Config) { c.MinPrice = 101 }, want: "the deal pays 100 nRLC for a task, the worker wants 101"},
		"price enough":     {config: func(c *Config) { c.MinPrice = 100 }},
		"stake":            {config: func(c *Config) { c.MaxStake = 29 }, want: "a contribution locks 30 nRLC, the worker gives 29 at most"},
		"stake enough":     {config: func(c *Config) { c.MaxStake = 30 }},
		"agreed":           {scene: func(s *scene) { s.task.Status = pool.TaskRevealing }, want: "the task takes no contributions any more"},
		"completed":        {scene: func(s *scene) { s.task.Status = pool.TaskCompleted }, want: "the task takes no contributions any more"},
		"claimed":          {scene: func(s *scene) { s.task.Status = pool.TaskFailed }, want: "the task takes no contributions any more"},
		"twice":            {scene: contributed(pool.Contributed), want: "the worker's wallet has contributed to the task before"},
		"rejected":         {scene: contributed(pool.Rejected), want: "the worker's wallet has contributed to the task before"},
		"another wallet": {scene: func(s *scene) {
			s.task.Contributions = []pool.Contribution{{Wallet: otherKey.Address(), Status: pool.Contributed}}
		}},
		"just in time": {scene: headAt(35*time.Minute - 6*time.Minute)},
		"late":         {scene: headAt(35*time.Minute - 6*time.Minute + time.Second), want: "too late: contributions are taken for another 5m59s, a run and the contribution may take 6m0s"},
		"over":         {scene: headAt(time.Hour), want: "too late: contributions are taken for another 0s"},
		"shorter run":  {scene: headAt(35*time.Minute - 6*time.Minute + time.Second), run: func(r *wire.Run) { r.RunLimitS = 1 }, want: "a run and the contribution may take 6m0s"},
		"longer run":   {scene: headAt(28 * time.Minute), run: func(r *wire.Run) { r.RunLimitS = 361 }, want: "a run and the contribution may take 7m1s"},
		"other app":    {run: func(r *wire.Run) { r.App.Name = "evil" }, want: "the pool wants something else run than the deal says"},
		"other type":   {run: func(r *wire.Run) { r.App.Type = "docker" }, want: "the pool wants something else run than the deal says"},
		"other args":   {run: func(r *wire.Run) { r.Args[1] = "three words" }, want: "the pool wants something else run than the deal says"},
		"more args":    {run: func(r *wire.Run) { r.Args = append(r.Args, "x") }, want: "the pool wants something else run than the deal says"},
		"more inputs":  {run: func(r *wire.Run) { r.Inputs = []wire.Download{{Name: "x"}} }, want: "the pool wants something else run than the deal says"},
		"other files":  {run: func(r *wire.Run) { r.Fetch = []wire.Fetch{{Name: "x", URL: "http://h"}} }, want: "the pool wants something else run than the deal says"},
		"files":        {scene: names(""), run: fetches("http://h/x", "")},
		"no file":      {scene: names(""), run: func(r *wire.Run) { fetches("", "")(r); r.Fetch = r.Fetch[:1] }, want: "the pool wants something else run than the deal says"},
		"other place":  {scene: names(""), run: fetches("http://g/x", ""), want: "the pool wants something else run than the deal says"},
		"other bytes":  {scene: names(""), run: fetches("http://h/x", "00"), want: "the pool wants something else run than the deal says"},
		"nowhere":      {scene: names("nowhere"), run: fetches("http://h/x", ""), want: "the deal cannot be served: its dataset lies at neither"},
		"other env":    {run: func(r *wire.Run) { r.Env["LD_PRELOAD"] = "/evil" }, want: "the pool wants something else run than the deal says"},
	} {
		t.Run(name, func(t *testing.T) {
			s, run := newScene(), offered()
			if c.scene != nil {
				c.scene(s)
			}
			if c.run != nil {
				c.run(&run)
			}
			offer, refusal := newAccount(t, s, c.config).Weigh(context.Background(), run)
			if c.want != "" {
				if !strings.Contains(refusal, c.want) {
					t.Errorf("%q, want %q", refusal, c.want)
				}
				return
			}
			if refusal != "" || offer.Owner != ownerKey.Address() || offer.Stake != 30 || offer.Lacks(Promised{}) != "" {
				t.Errorf("%+v, refused: %q, lacks: %q", offer, refusal, offer.Lacks(Promised{}))
			}
		})
	}
}

func ofTask(index int) func(*wire.Run) {
	return func(r *wire.Run) { r.Task.Index, r.Task.ID = index, ethsig.TaskID(dealID, index).String() }
}

func contributed(as pool.ContributionStatus) func(*scene) {
	return func(s *scene) {
		s.task.Contributions = []pool.Contribution{{Wallet: workerKey.Address(), Status: as, Hash: ethsig.ResultHash(taskID, digest)}}
	}
}

// names lets the deal name a dataset and a file.
func names(at string) func(*scene) {
	return func(s *scene) {
		s.deals[0].Params = `{"iexec_args":"1 'two words'","iexec_input_files":["http://h/x"]}`
		s.deals[0].Dataset, s.deals[0].DatasetAt, s.deals[0].DatasetSum = pool.Address{1}, cmp.Or(at, "http://h/set"), pool.Digest{2}
	}
}

// fetches is the run of it, with a file that lies elsewhere or has other bytes.
func fetches(at, sum string) func(*wire.Run) {
	return func(r *wire.Run) {
		set := pool.Address{1}.String()
		r.Env["IEXEC_DATASET_ADDRESS"], r.Env["IEXEC_DATASET_FILENAME"], r.Env["IEXEC_INPUT_FILES_NUMBER"], r.Env["IEXEC_INPUT_FILE_NAME_1"] = set, set, "1", "x"
		r.Fetch = []wire.Fetch{{Name: set, URL: "http://h/set", SHA256: cmp.Or(sum, pool.Digest{2}.String())}, {Name: "x", URL: at}}
	}
}

func headAt(after time.Duration) func(*scene) {
	return func(s *scene) { s.head.Time = start.Add(after) }
}

func TestLacks(t *testing.T) {
	for name, c := range map[string]struct {
		free, coins, price int64
		promised           Promised
		want               string
	}{
		"just enough":        {free: 30, coins: 750_000 * 7, price: 7},
		"a nRLC short":       {free: 29, coins: 750_000 * 7, price: 7, want: "the worker's stake is too low: 29 nRLC are free at the hub, 30 are needed"},
		"a wei short":        {free: 30, coins: 750_000*7 - 1, price: 7, want: fmt.Sprintf("the worker's wallet is too poor for the gas: it has %d wei, %d are needed", 750_000*7-1, 750_000*7)},
		"gas costs nothing":  {free: 30},
		"stake is promised":  {free: 89, price: 0, promised: Promised{Stake: 60}, want: "90 are needed"},
		"stake for all":      {free: 90, price: 0, promised: Promised{Stake: 60, Contributions: 2, Reveals: 2}},
		"gas is promised":    {free: 30, coins: 750_000*2 + 150_000 - 1, price: 1, promised: Promised{Contributions: 1, Reveals: 2}, want: "too poor"},
		"gas for all":        {free: 30, coins: 750_000*2 + 150_000, price: 1, promised: Promised{Contributions: 1, Reveals: 2}},
		"stake comes before": {free: 0, coins: 0, price: 1, want: "stake is too low"},
	} {
		o := Offer{Stake: 30, Free: pool.NRLC(c.free), Coins: big.NewInt(c.coins), Price: big.NewInt(c.price)}
		if got := o.Lacks(c.promised); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestAuthorised(t *testing.T) {
	for name, c := range map[string]struct {
		word string
		want string // "" = it is good
	}{
		"good":           {word: word(t, ownerKey, workerKey.Address(), taskID)},
		"forged":         {word(t, otherKey, workerKey.Address(), taskID), "it is not the word of the pool's owner"},
		"own":            {word(t, workerKey, workerKey.Address(), taskID), "it is not the word of the pool's owner"},
		"another wallet": {word(t, ownerKey, otherKey.Address(), taskID), "it is not the word of the pool's owner"},
		"another task":   {word(t, ownerKey, workerKey.Address(), ethsig.TaskID(dealID, 8)), "it is not the word of the pool's owner"},
		"empty":          {"", "not written as 0x"},
		"no prefix":      {word(t, ownerKey, workerKey.Address(), taskID)[2:], "not written as 0x"},
		"no digits":      {"0xzz", "not written as 0x"},
		"short":          {word(t, ownerKey, workerKey.Address(), taskID)[:100], "a signature has 65 or 64 bytes"},
	} {
		p := good(t)
		p.Authorisation = c.word
		err := newAccount(t, newScene(), nil).Authorised(p)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
