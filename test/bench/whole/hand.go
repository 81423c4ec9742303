package whole

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"workerpool/shared/wire"
)

// hand is a simulated worker: it runs nothing, but says, uploads and asks what one
// does whose runs end at once.
type hand struct {
	web   *web
	id    int64
	token string
	held  map[int64]*wire.Report // by work
}

func digestOf(text string) [32]byte { return sha256.Sum256([]byte(text)) }

// result is what a work comes to.
func result(work int64) []byte { return fmt.Appendf(nil, "the result of work %d\n", work) }

// run heartbeats until ctx ends: at once while there is news, else at the interval
// told, as cmd/worker does.
func (h *hand) run(ctx context.Context) error {
	for {
		var beat wire.Heartbeat
		for _, r := range h.held {
			beat.Reports = append(beat.Reports, *r)
		}
		reply, err := h.web.client.Heartbeat(ctx, h.token, h.id, beat)
		if err != nil {
			return ended(ctx, err)
		}
		news, err := h.follow(ctx, reply.Instructions)
		if err != nil || ctx.Err() != nil {
			return ended(ctx, err)
		}
		if news {
			continue
		}
		pause := time.NewTimer(time.Duration(reply.NextHeartbeatS) * time.Second)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}

// follow does what the pool says, and tells whether there is something new to say.
func (h *hand) follow(ctx context.Context, orders []wire.Instruction) (news bool, err error) {
	for _, order := range orders {
		content := result(order.Work)
		switch order.Do {
		case wire.DoStart:
			if h.held[order.Work] != nil {
				continue
			}
			sum := sha256.Sum256(content)
			h.held[order.Work] = &wire.Report{
				Work: order.Work, Attempt: order.Attempt, State: "reported", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)),
			}
			news = true
		case wire.DoUpload:
			r := h.held[order.Work]
			if r == nil || r.State == "uploaded" {
				continue
			}
			if err := h.web.client.Upload(ctx, *order.Upload, bytes.NewReader(content), int64(len(content))); err != nil {
				return false, err
			}
			r.State = "uploaded"
			news = true
		case wire.DoStop:
			if r := h.held[order.Work]; r != nil && r.State == "uploaded" {
				h.web.done.Add(1)
			}
			delete(h.held, order.Work)
		}
	}
	return news, nil
}
