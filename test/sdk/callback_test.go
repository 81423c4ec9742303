//go:build sdk

package sdk

import (
	"testing"

	"workerpool/infra/local/chain/contracts"
	"workerpool/shared/pool"
)

// TestClientIsCalledBack lets iExec's client buy for a contract: the contract gets
// what the program gave for it, the client the archive.
func TestClientIsCalledBack(t *testing.T) {
	t.Parallel()
	b := newStage(t).open(t, 1, runs()...)
	r := b.requester(t, b.url)
	receiver, err := contracts.NewReceiver(t.Context(), b.chain.Rich(), contracts.Keeping)
	if err != nil {
		t.Fatal(err)
	}
	deal := r.buy(order{
		app: r.app(r.address, program), volume: 1, trust: 1, args: "-call 0x00ff63616c6c6564 tile", calls: receiver.At,
	}, b.order("1", "5"))
	var end dealt
	r.iexec(&end, "deal", "show", deal, "--watch")
	if end.CompletedTasksCount != 1 || len(end.Deal.Tasks) != 1 {
		t.Fatalf("the deal: %+v", end)
	}
	task, err := pool.ParseHash(end.Deal.Tasks[0])
	if err != nil {
		t.Fatal(err)
	}
	question, err := receiver.Pack("store", task)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := b.chain.View(t.Context(), receiver.At, question)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := receiver.Unpack("store", answer); err != nil || string(got.([]byte)) != "\x00\xffcalled" {
		t.Errorf("called back with %q, %v", got, err)
	}
	var shown struct{ ResultPath string }
	r.iexec(&shown, "task", "show", end.Deal.Tasks[0], "--download")
	if shown.ResultPath == "" {
		t.Error("the client has no archive")
	}
	b.check(1)
}
