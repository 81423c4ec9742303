package chain

import (
	"bufio"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"workerpool/shared/pool"
)

// keeper is set in a program that keeps a chain in the folder it names until it is
// killed.
const keeper = "CHAIN_KEPT_IN"

const payments = 40 // more than a block that can no longer change

// keep says the chain's first and newest block and what was sent, then waits.
func keep(t *testing.T, dir string) {
	chain := started(t, Config{Dir: dir})
	var last Done
	for range payments {
		last = done(t, chain, pay(t, chain))
	}
	fmt.Println(chain.Block(0).Hash, last.Block.Hash, last.Hash)
	select {}
}

// TestKilled ends a chain by kill -9 and goes on with what it has kept.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(keeper); dir != "" {
		keep(t, dir)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env, cmd.Stderr = append(os.Environ(), keeper+"="+dir), t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	_ = cmd.Process.Kill() // it waits for nothing else
	_ = cmd.Wait()
	var first, last, sent string
	if n, _ := fmt.Sscan(said, &first, &last, &sent); n != 3 || err != nil {
		t.Fatalf("it said %q, %v", said, err)
	}
	hash, err := pool.ParseHash(sent)
	if err != nil {
		t.Fatal(err)
	}

	chain := started(t, Config{Dir: dir})
	if got := chain.Block(0).Hash.String(); got != first {
		t.Errorf("another chain begins with %s, was %s", got, first)
	}
	head := chain.Head()
	if head.Number != payments || head.Hash.String() != last {
		t.Errorf("the newest block is %+v, was %d %s", head, payments, last)
	}
	if got, found := chain.Look(hash); !found || !got.Good || got.Block != head.Block {
		t.Errorf("the last payment: %+v, %v", got, found)
	}
	next := done(t, chain, pay(t, chain))
	if next.Block.Number != payments+1 {
		t.Errorf("it goes on with block %+v", next.Block)
	}
	// Of the rich account's sendings none is forgotten, at any block.
	client := ethclient.NewClient(chain.rpc)
	for _, at := range []int64{1, payments, payments + 1} {
		if n, err := client.NonceAt(t.Context(), common.Address(chain.Rich().Address()), big.NewInt(at)); err != nil || n != uint64(at) {
			t.Errorf("%d sendings up to block %d: %v", n, at, err)
		}
	}
}

func TestQuiet(t *testing.T) {
	chain := started(t, Config{Period: 10 * time.Millisecond, Quiet: time.Hour})
	sent := done(t, chain, pay(t, chain))
	if sent.Block.Number != 1 {
		t.Errorf("blocks with nothing in them were made before %+v", sent.Block)
	}
}
