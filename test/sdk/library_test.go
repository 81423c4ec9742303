//go:build sdk

package sdk

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// TestLibraryBuys lets iExec's library buy at trust 3. It cannot show a task with
// more than one contributor, so plain ethers judges the end.
func TestLibraryBuys(t *testing.T) {
	t.Parallel()
	const volume = 3
	b := newStage(t).open(t, 3, runs()...)
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	key, err := ethsig.NewKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	b.fund(key.Address(), 1000*rlc)
	scripts := b.scripts(t)
	if err := os.WriteFile(filepath.Join(scripts, "orders.json"), b.order("3", "5"), 0o600); err != nil {
		t.Fatal(err)
	}
	var bought struct{ Tasks []string }
	b.node(&bought, scripts, "buy.mjs", map[string]any{
		"key": "0x" + hex.EncodeToString(raw),
		"app": b.app(key.Address(), program).String(), "volume": volume, "trust": 3, "args": "tile 3", "deposit": strconv.FormatInt(int64(deposited), 10),
	})
	if len(bought.Tasks) != volume {
		t.Fatalf("the deal: %+v", bought)
	}
	accounts := []string{key.Address().String(), b.owner.Address().String()}
	for _, w := range b.workers {
		accounts = append(accounts, w.Address().String())
	}
	var end ended
	b.node(&end, scripts, "judge.mjs", map[string]any{"gateway": b.url, "tasks": bought.Tasks, "accounts": accounts})
	won := b.judge(t, end)
	// At weight 2 each, two that agree are what trust 3 takes; they share alike.
	const reward = price * (100 - ratio) / 100
	want := map[string]pool.NRLC{accounts[0]: deposited - volume*price, accounts[1]: deposited + volume*(price-reward)}
	for _, wallet := range accounts[2:] {
		want[wallet] = deposited + pool.NRLC(won[wallet])*reward/2
	}
	for account, stake := range want {
		if got := end.Accounts[account]; got.Stake != stake || got.Locked != 0 {
			t.Errorf("the account %s of %q: %+v, want %d nRLC and none locked", account, accounts, got, stake)
		}
	}
	b.check(volume)
}

// ended is what plain ethers shows of tasks that have ended, and of accounts.
type ended struct {
	Tasks []struct {
		Status        pool.TaskStatus
		Reveals       int
		Winners       int
		Contributions []struct {
			Wallet string
			Status pool.ContributionStatus
		}
		Results struct{ Storage, Location string }
		Archive []byte // that the pool has at the location
	}
	Accounts map[string]struct{ Stake, Locked pool.NRLC }
}

// judge holds the tasks to what was bought and counts how often each wallet won.
func (b *bench) judge(t *testing.T, end ended) map[string]int {
	t.Helper()
	won := map[string]int{}
	for i, task := range end.Tasks {
		if task.Status != pool.TaskCompleted || len(task.Contributions) != 2 || task.Winners != 2 || task.Reveals != 2 || task.Results.Storage != "ipfs" {
			t.Fatalf("task %d: %+v", i, task)
		}
		for _, c := range task.Contributions {
			if won[c.Wallet]++; c.Status != pool.Proved {
				t.Errorf("task %d: the contribution of %s has the status %d", i, c.Wallet, c.Status)
			}
		}
		if got, want := fileIn(t, task.Archive, "result.txt"), "tile 3\n"; got != want {
			t.Errorf("task %d: result %q, want %q", i, got, want)
		}
	}
	return won
}

// scripts makes a folder for scripts, in which they find what npm fetched.
func (s *stage) scripts(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// node runs a script in a folder of scripts with a wish.
func (s *stage) node(into any, dir, script string, wish map[string]any) {
	s.t.Helper()
	wish["node"], wish["hub"], wish["chain"] = s.chain.URL(), s.at.Hub.String(), strconv.FormatUint(s.chain.ID(), 10)
	text, err := json.Marshal(wish)
	if err != nil {
		s.t.Fatal(err)
	}
	source, err := os.ReadFile(script)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, script), source, 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("node", script, string(text))
	cmd.Dir = dir
	s.answer(into, cmd)
}
