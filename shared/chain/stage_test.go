package chain_test

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	local "workerpool/infra/local/chain"
	"workerpool/infra/local/chain/contracts"
	"workerpool/shared/chain"
	"workerpool/shared/chain/chaintest"
	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// stage is a real chain with the real contracts, a pool, an app, and money.
type stage struct {
	t         *testing.T
	chain     *local.Chain
	at        contracts.Addresses
	owner     *ethsig.Key
	requester *ethsig.Key
	workers   []*ethsig.Key
	pool, app pool.Address
	node      *chaintest.Node
	client    *chain.Client
	lane      *chain.Sender
	salt      byte
}

const price = 1000 // nRLC a task

func key(t *testing.T, name string) *ethsig.Key {
	t.Helper()
	raw := ethsig.Keccak([]byte(name))
	k, err := ethsig.NewKey(raw[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, owner: key(t, "owner"), requester: key(t, "requester")}
	fund := []pool.Address{s.owner.Address(), s.requester.Address()}
	for _, name := range []string{"ann", "ben", "cleo"} {
		s.workers = append(s.workers, key(t, name))
		fund = append(fund, key(t, name).Address())
	}
	var err error
	if s.chain, err = local.Start(local.Config{Fund: fund}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.chain.Close(); err != nil {
			t.Error(err)
		}
	})
	if s.at, err = contracts.Deploy(t.Context(), s.chain); err != nil {
		t.Fatal(err)
	}
	rlc, hub := poco.NewRLC(), poco.NewHub()
	for _, k := range append([]*ethsig.Key{s.owner, s.requester}, s.workers...) {
		s.do(s.chain.Rich().Signer, s.at.RLC, rlc.PackTransfer(common.Address(k.Address()), big.NewInt(1e9)))
		s.do(k, s.at.RLC, rlc.PackApprove(common.Address(s.at.Hub), big.NewInt(1e8)))
		s.do(k, s.at.Hub, hub.PackDeposit(big.NewInt(1e8)))
	}
	pools, apps, owner := poco.NewWorkerpoolRegistry(), poco.NewAppRegistry(), common.Address(s.owner.Address())
	s.pool = s.made(pools.UnpackPredictWorkerpool(s.view(s.at.WorkerpoolRegistry, pools.PackPredictWorkerpool(owner, "pool"))))
	s.do(s.owner, s.at.WorkerpoolRegistry, pools.PackCreateWorkerpool(owner, "pool"))
	image := []byte("docker.io/library/alpine:3")
	s.app = s.made(apps.UnpackPredictApp(s.view(s.at.AppRegistry, apps.PackPredictApp(owner, "app", "DOCKER", image, [32]byte{}, nil))))
	s.do(s.owner, s.at.AppRegistry, apps.PackCreateApp(owner, "app", "DOCKER", image, [32]byte{}, nil))

	s.node = chaintest.Start(t, chaintest.Forward(t, s.chain.URL()))
	if s.client, err = chain.Open(chain.Config{URL: s.node.URL, Hub: s.at.Hub, Pool: s.pool}); err != nil {
		t.Fatal(err)
	}
	s.lane = chain.NewSender(chain.SenderConfig{Chain: s.client, Signer: s.owner})
	return s
}

// do has somebody else than the pool call a contract.
func (s *stage) do(as ethsig.Signer, to pool.Address, data []byte) local.Done {
	s.t.Helper()
	done, err := s.chain.Account(as).Do(s.t.Context(), local.To(to, data))
	if err != nil {
		s.t.Fatal(err)
	}
	return done[0]
}

func (s *stage) view(to pool.Address, data []byte) []byte {
	s.t.Helper()
	out, err := s.chain.View(s.t.Context(), to, data)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *stage) made(at common.Address, err error) pool.Address {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return pool.Address(at)
}

func (s *stage) sign(by ethsig.Signer, digest pool.Hash) []byte {
	s.t.Helper()
	out, err := by.Sign(ctx, digest)
	if err != nil {
		s.t.Fatal(err)
	}
	return out[:]
}

// match makes a deal of tasks, signed by the hashes of ethsig.
func (s *stage) match(tasks uint64, trust uint64) pool.Deal {
	s.t.Helper()
	s.salt++
	domain := ethsig.Domain{ChainID: s.chain.ID(), Hub: s.at.Hub}
	salt, amount := pool.Hash{s.salt}, new(big.Int).SetUint64(tasks)
	a := ethsig.AppOrder{App: s.app, Volume: tasks, Salt: salt}
	w := ethsig.WorkerpoolOrder{Workerpool: s.pool, Price: price, Volume: tasks, Trust: trust, Salt: salt}
	r := ethsig.RequestOrder{
		App: s.app, Workerpool: s.pool, WorkerpoolMaxPrice: price, Requester: s.requester.Address(), Volume: tasks, Trust: trust,
		Beneficiary: s.requester.Address(), Params: `{"iexec_args":"x"}`, Salt: salt,
	}
	zero := new(big.Int)
	wanted := new(big.Int).SetUint64(trust)
	done := s.do(s.requester, s.at.Hub, poco.NewHub().PackMatchOrders(
		poco.IexecLibOrdersV5AppOrder{App: common.Address(s.app), Appprice: zero, Volume: amount, Salt: salt, Sign: s.sign(s.owner, domain.Hash(a))},
		poco.IexecLibOrdersV5DatasetOrder{Datasetprice: zero, Volume: zero},
		poco.IexecLibOrdersV5WorkerpoolOrder{Workerpool: common.Address(s.pool), Workerpoolprice: big.NewInt(price), Volume: amount, Category: zero, Trust: wanted, Salt: salt, Sign: s.sign(s.owner, domain.Hash(w))},
		poco.IexecLibOrdersV5RequestOrder{
			App: common.Address(s.app), Appmaxprice: zero, Datasetmaxprice: zero, Workerpool: common.Address(s.pool), Workerpoolmaxprice: big.NewInt(price),
			Requester: common.Address(s.requester.Address()), Volume: amount, Category: zero, Trust: wanted, Beneficiary: common.Address(s.requester.Address()),
			Params: r.Params, Salt: salt, Sign: s.sign(s.requester, domain.Hash(r)),
		}))
	return pool.Deal{
		ID: ethsig.DealID(domain.Hash(r), 0), Start: done.Block.Time, Block: done.Block.Number, Tasks: int(tasks), T: 300e9, Trust: int(trust), App: s.app,
		Image: "docker.io/library/alpine:3", AppType: "DOCKER", Owner: s.owner.Address(), Requester: s.requester.Address(), Beneficiary: s.requester.Address(),
		Params: r.Params, Price: price, Stake: price * 30 / 100,
	}
}

func (s *stage) head() pool.Head {
	s.t.Helper()
	head, err := s.client.Head(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return head
}

// tasks reads some of a deal's tasks at the head.
func (s *stage) tasks(d pool.Deal, indices ...int) []pool.Task {
	s.t.Helper()
	var ids []pool.Hash
	for _, i := range indices {
		ids = append(ids, ethsig.TaskID(d.ID, i))
	}
	out, err := s.client.Tasks(ctx, s.head().Block, ids)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func actionsOf(d pool.Deal, kind pool.ActionKind, indices ...int) []pool.Action {
	var out []pool.Action
	for _, i := range indices {
		out = append(out, pool.Action{ID: int64(i + 1), Kind: kind, Deal: d.ID, Index: i, Task: ethsig.TaskID(d.ID, i), Results: []byte(`{"storage":"ipfs"}`)})
	}
	return out
}

// act has the pool do something, and gives the receipt.
func (s *stage) act(kind pool.ActionKind, actions []pool.Action) pool.Receipt {
	s.t.Helper()
	nonce, err := s.lane.Nonce(ctx, s.head().Block)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := s.lane.Compose(ctx, pool.Broadcast{Kind: kind, Nonce: nonce, Attempt: 1}, actions)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.mined(s.lane, b)
}

// mined sends a broadcast, twice as after a crash, and waits for its receipt.
func (s *stage) mined(lane *chain.Sender, b pool.Broadcast) pool.Receipt {
	s.t.Helper()
	for range 2 {
		if err := lane.Send(ctx, b.Raw); err != nil {
			s.t.Fatal(err)
		}
	}
	if _, err := s.chain.Done(s.t.Context(), b.Hash); err != nil {
		s.t.Fatal(err)
	}
	if err := lane.Send(ctx, b.Raw); err != nil {
		s.t.Fatalf("once it is mined: %v", err)
	}
	got, err := lane.Receipts(ctx, []pool.Hash{b.Hash})
	if err != nil || !got[0].Found || !got[0].Good || got[0].Gas == 0 {
		s.t.Fatalf("%+v, %v", got, err)
	}
	return got[0]
}

// work has a worker say something of a task on its own lane.
func (s *stage) work(worker *ethsig.Key, call chain.Call) error {
	s.t.Helper()
	lane := chain.NewSender(chain.SenderConfig{Chain: s.client, Signer: worker})
	nonce, err := lane.Nonce(ctx, s.head().Block)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := lane.ComposeCall(ctx, pool.Broadcast{Nonce: nonce, Attempt: 1}, call)
	if err != nil {
		return err
	}
	s.mined(lane, b)
	return nil
}

func (s *stage) contribute(worker *ethsig.Key, task pool.Hash, digest pool.Digest, by ethsig.Signer) error {
	s.t.Helper()
	authorisation := s.sign(by, ethsig.AuthorisationHash(worker.Address(), task, pool.Address{}))
	return s.work(worker, s.client.Contribute(task, ethsig.ResultHash(task, digest), ethsig.ResultSeal(worker.Address(), task, digest), authorisation))
}
