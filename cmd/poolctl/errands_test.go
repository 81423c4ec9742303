package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"workerpool/shared/wire"
)

// told scripts an errand that is done at the look after next.
func (s *stage) told(kind string, answer2 wire.Answer) {
	asked := wire.Errand{Errand: kind, Number: 4, Done: 3, Asked: noon, DoneAt: &noon, Answer: &wire.Answer{Fault: "of the one before"}}
	done := asked
	done.Done, done.Answer = 4, &answer2
	s.routes["POST /chain/"+kind] = answer(http.StatusAccepted, asked)
	s.routes["GET /chain/"+kind] = then(answer(200, asked), answer(200, asked), answer(200, done))
}

func TestChainDiff(t *testing.T) {
	s := newStage(t).loggedIn()
	s.told("diff", wire.Answer{Block: 77, Differences: []wire.Difference{}, Lines: []string{}})
	s.must(exitDone, "chain", "diff")
	s.says("0 differences at block 77")
	if s.waits != 2 {
		t.Errorf("waited %d times", s.waits)
	}
	deal := "0x" + strings.Repeat("ab", 32)
	s.told("diff", wire.Answer{Block: 78, Count: 101, Differences: []wire.Difference{{Deal: deal, What: "deal", Books: "known", Chain: "unknown"}}, Lines: []string{}})
	s.must(exitFailed, "chain", "diff")
	s.says("DEAL", deal, "known", "101 differences at block 78", "the books differ from the chain in 101 places")
	s.told("diff", wire.Answer{Fault: "the node is away"})
	s.must(exitFailed, "--json", "chain", "diff")
	s.says("the diff came to nothing: the node is away")
	s.routes["GET /chain/diff"] = answer(200, wire.Errand{Errand: "diff", Number: 4, Done: 3})
	s.must(exitFailed, "chain", "diff", "--patience", "1m")
	s.says("is not done after 1m0s")
	s.routes["POST /chain/diff"] = refuse(409, "conflict")
	s.must(exitFailed, "chain", "diff")
	s.says("said the pool")
}

func TestChainDryRun(t *testing.T) {
	s := newStage(t).loggedIn()
	s.told("dry-run", wire.Answer{Lines: []string{"want initialize task 0x12", "ring"}})
	s.must(exitDone, "chain", "dry-run")
	s.says("would want initialize task 0x12", "would ring")
	s.told("dry-run", wire.Answer{Lines: []string{}})
	s.must(exitDone, "chain", "dry-run")
	s.says("it would do nothing")
}

// A rebuild is only told of, unless the operator says yes.
func TestChainRebuild(t *testing.T) {
	s := newStage(t).loggedIn()
	s.told("rebuild", wire.Answer{Block: 41})
	s.must(exitDone, "chain", "rebuild", "--from-block", "42")
	s.says("from block 42 on", "--yes does it")
	if len(s.seen) > 0 {
		t.Fatalf("without --yes the pool was asked %v", s.seen)
	}
	s.must(exitDone, "chain", "rebuild", "--from-block", "42", "--yes")
	s.says("again from block 42 on")
	if body := s.bodies["POST /chain/rebuild"]; body != `{"from_block":42}` {
		t.Errorf("sent %s", body)
	}
	s.told("rebuild", wire.Answer{Block: 41})
	s.must(exitDone, "chain", "rebuild", "--yes")
	if body := s.bodies["POST /chain/rebuild"]; body != `{}` {
		t.Errorf("sent %s", body)
	}
	s.now = noon.Add(2 * time.Hour)
	s.must(exitLogin, "chain", "rebuild", "--yes")
}
