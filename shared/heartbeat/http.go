package heartbeat

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/placement"
	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

// uploadLife is how long a worker's upload link is good; a new one comes with
// every heartbeat.
const uploadLife = 15 * time.Minute

// Handler serves the routes of workers.
func (h *Heartbeat) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /workers", web.Handler(h.register))
	mux.Handle("POST /workers/{id}/heartbeat", web.Handler(h.beat))
	return web.Routes(mux)
}

func (h *Heartbeat) register(w http.ResponseWriter, r *http.Request) error {
	caller, err := web.CallerAs(r.Context(), pool.RoleWorker)
	if err != nil {
		return err
	}
	if caller.Worker != 0 {
		return pool.Refuse(pool.Forbidden, "", "a worker's token registers nobody: use the account's")
	}
	var in wire.Registration
	if _, err := web.Decode(r, wire.MaxBody, &in); err != nil {
		return err
	}
	capabilities, err := in.Parse()
	if err != nil {
		return err
	}
	key, err := pool.ParseDigest(in.Key)
	if err != nil {
		return fmt.Errorf("reading a checked key: %w", err)
	}
	wallet, err := h.wallet(in, key)
	if err != nil {
		return err
	}
	id, err := h.Books.Register(r.Context(), pool.NewWorker{
		Account: caller.Account, Name: in.Name, Key: key, Slots: in.Slots, Capabilities: capabilities, Wallet: wallet,
	}, pool.Trace{Account: caller.Account, RequestID: telemetry.RequestID(r.Context())})
	if err != nil {
		return err
	}
	caller.Worker = id
	token, err := h.Tokens.Issue(r.Context(), caller)
	if err != nil {
		return err
	}
	return web.WriteJSON(w, http.StatusOK, wire.Registered{Worker: int64(id), Token: token, ExpiresIn: int64(auth.Lifetime / time.Second)})
}

// wallet checks that a registration's wallet has signed it.
func (h *Heartbeat) wallet(in wire.Registration, key pool.Digest) (pool.Address, error) {
	address, signature, err := in.Wallet.Parse("wallet")
	if err != nil || address.IsZero() {
		return pool.Address{}, err
	}
	if !h.Deals {
		return pool.Address{}, pool.Refuse(pool.Invalid, "wallet", "this pool serves no deals of the chain: leave the wallet out")
	}
	text := pool.WalletProof(h.Pool, in.Name, key)
	signer, err := h.Recover(text, signature)
	if err != nil || signer != address {
		return pool.Address{}, pool.Refuse(pool.Invalid, "wallet.signature", "the wallet has to sign (personal_sign) the text of %d bytes that begins with %q", len(text), "I run worker "+in.Name)
	}
	return address, nil
}

func (h *Heartbeat) beat(w http.ResponseWriter, r *http.Request) error {
	caller, err := web.CallerAs(r.Context(), pool.RoleWorker)
	if err != nil {
		return err
	}
	id, err := web.PathID(r, "id")
	if err != nil {
		return err
	}
	if caller.Worker != pool.WorkerID(id) {
		return pool.Refuse(pool.NotFound, "id", "no worker %d for this token: register to get the worker's own", id)
	}
	var in wire.Heartbeat
	if _, err := web.Decode(r, wire.MaxBody, &in); err != nil {
		return err
	}
	reports, capabilities, err := in.Parse(h.MaxFile)
	if err != nil {
		return err
	}
	reply, err := h.Beat(r.Context(), Call{
		Account: caller.Account, Worker: caller.Worker, Slots: in.Slots, Capabilities: capabilities, Reports: reports,
		Trace: pool.Trace{Account: caller.Account, RequestID: telemetry.RequestID(r.Context())},
	})
	if err != nil {
		return err
	}
	out := wire.Beat{State: string(reply.State), NextHeartbeatS: int(reply.Interval / time.Second), Instructions: []wire.Instruction{}}
	room := answerRoom
	for _, order := range reply.Instructions {
		instruction, whole, err := h.instruction(r.Context(), order, reply)
		if err != nil {
			return err
		}
		if !whole {
			continue
		}
		if order.Do == placement.Start || order.Do == placement.Upload || order.Do == placement.Check {
			text, err := web.Encode(instruction)
			if err != nil {
				return err
			}
			if room -= len(text); room < 0 {
				continue
			}
		}
		out.Instructions = append(out.Instructions, instruction)
	}
	return web.WriteJSON(w, http.StatusOK, out)
}

// answerRoom bounds what runs and links may take of an answer, in bytes: Lambda
// lets 6 MB out, twice encoded. What does not fit comes with the next heartbeat,
// as instructions are derived each time.
const answerRoom = 2 << 20

// instruction gives an order its run or links. It is not whole when the worker was
// made an offer, or asked to check, only after it was heard: then the next heartbeat
// brings it.
func (h *Heartbeat) instruction(ctx context.Context, order placement.Instruction, reply Reply) (out wire.Instruction, whole bool, err error) {
	out = wire.Instruction{Work: int64(order.Work), Attempt: order.Attempt, Do: string(order.Do)}
	switch order.Do {
	case placement.Start:
		offer, known := reply.Offers[order.Work]
		if !known {
			return out, false, nil
		}
		out.Run, err = h.run(ctx, order.Work, offer)
		if turn, ok := reply.Turns[order.Work]; ok && err == nil {
			out.Run.Task = &wire.Task{
				ID: turn.Task.String(), Deal: turn.Deal.String(), Index: turn.Index, ContributeBy: turn.ContributeBy, FinalBy: turn.FinalBy, CallsBack: turn.CallsBack,
			}
		}
	case placement.Continue, placement.Contribute:
		if word := reply.Turns[order.Work].Authorisation; word != nil {
			out.Authorisation = "0x" + hex.EncodeToString(word)
		}
	case placement.Upload:
		row := reply.Rows[order.Work]
		link, err := h.Files.PresignPost(ctx, pool.Upload{
			Key: pool.ResultKey(row.Origin(), row.Work, row.Bytes()), Digest: row.Bytes(), Size: row.Size,
			ContentType: row.Origin().ResultType(), Life: uploadLife,
		})
		out.Upload = &wire.Link{URL: link.URL, Fields: link.Fields, Expires: link.Expires}
		return out, true, err
	case placement.Check:
		file, turn := reply.Rows[order.Work].Checks, reply.Turns[order.Work]
		if turn.File != file {
			return out, false, nil
		}
		name := "result" + pool.OriginDeal.ResultSuffix()
		link, err := h.Files.PresignGet(ctx, pool.ResultKey(pool.OriginDeal, order.Work, file), name)
		out.Check = &wire.Download{Name: name, SHA256: file.String(), Size: turn.Size, URL: link.URL}
		return out, true, err
	case placement.Hold, placement.Reveal, placement.Stop:
	}
	return out, true, err
}

func (h *Heartbeat) run(ctx context.Context, work pool.WorkID, o pool.Offering) (*wire.Run, error) {
	run := &wire.Run{
		App: wire.App{Type: string(o.Spec.App.Type), Name: o.Spec.App.Name}, Args: o.Spec.Args, Env: o.Spec.Env, Inputs: []wire.Download{},
		Fetch: wire.FromFetches(o.Spec.Fetches),
		Batch: int64(work.Batch()), Index: work.Index(), RunLimitS: int64(o.RunLimit / time.Second), MaxResult: h.MaxFile, MemoryMB: o.MemoryMB,
		Requester: o.Login,
	}
	for _, in := range o.Spec.Inputs {
		link, err := h.Files.PresignGet(ctx, pool.InputKey(o.Requester, in.Digest), in.Name)
		if err != nil {
			return nil, err
		}
		run.Inputs = append(run.Inputs, wire.Download{Name: in.Name, SHA256: in.Digest.String(), Size: in.Size, URL: link.URL})
	}
	return run, nil
}
