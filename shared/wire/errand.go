package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"workerpool/shared/pool"
)

// Errand is the answer to POST and GET /chain/{errand}: the last one of its kind,
// with what came of the last that was done.
type Errand struct {
	Errand    string     `json:"errand"`     // diff, dry-run, rebuild
	Number    int64      `json:"number"`     // how often it was asked for
	FromBlock uint64     `json:"from_block"` // rebuild
	Asked     time.Time  `json:"asked"`
	Done      int64      `json:"done"` // number of the last that was done; 0 = none
	DoneAt    *time.Time `json:"done_at,omitempty"`
	Answer    *Answer    `json:"answer,omitempty"` // of number Done
}

// Answer is what came of an errand.
type Answer struct {
	Block       uint64       `json:"block"`
	Fault       string       `json:"fault,omitempty"` // why it came to nothing
	Count       int          `json:"count"`           // diff: of all differences
	Differences []Difference `json:"differences"`     // the first of them
	Lines       []string     `json:"lines"`           // dry-run: what would be stored and sent
}

// Difference is something on which books and chain disagree.
type Difference struct {
	Deal  string `json:"deal"`
	Task  string `json:"task,omitempty"`
	What  string `json:"what"`
	Books string `json:"books"`
	Chain string `json:"chain"`
}

// AskRebuild is the body of POST /chain/rebuild; the other errands have none.
type AskRebuild struct {
	FromBlock uint64 `json:"from_block,omitempty"` // 0 = that of the oldest deal in the books
}

// Parse checks the block.
func (a AskRebuild) Parse() (uint64, error) {
	if a.FromBlock > math.MaxInt64 {
		return 0, invalid("from_block", "at most %d, here %d", int64(math.MaxInt64), a.FromBlock)
	}
	return a.FromBlock, nil
}

// FromErrand makes the answer.
func FromErrand(e pool.Errand) Errand {
	out := Errand{Errand: string(e.Kind), Number: e.Number, FromBlock: e.From, Asked: e.Asked, Done: e.Done}
	if e.Done > 0 {
		at, answer := e.DoneAt, fromAnswer(e.Answer)
		out.DoneAt, out.Answer = &at, &answer
	}
	return out
}

func fromAnswer(a pool.Answer) Answer {
	out := Answer{Block: a.Block.Number, Fault: a.Fault, Count: a.Count, Differences: make([]Difference, len(a.Differences)), Lines: append([]string{}, a.Lines...)}
	for i, d := range a.Differences {
		out.Differences[i] = Difference{Deal: d.Deal.String(), What: d.What, Books: d.Books, Chain: d.Chain}
		if !d.Task.IsZero() {
			out.Differences[i].Task = d.Task.String()
		}
	}
	return out
}

// EncodeAnswer writes an answer for the books.
func EncodeAnswer(a pool.Answer) ([]byte, error) {
	text, err := json.Marshal(fromAnswer(a))
	if err != nil {
		return nil, fmt.Errorf("encoding the answer to an errand: %w", err)
	}
	return text, nil
}

// DecodeAnswer reads one of the books.
func DecodeAnswer(text []byte) (pool.Answer, error) {
	var in Answer
	if err := json.Unmarshal(text, &in); err != nil {
		return pool.Answer{}, fmt.Errorf("decoding the answer to an errand: %w", err)
	}
	out := pool.Answer{Block: pool.Block{Number: in.Block}, Fault: in.Fault, Count: in.Count, Lines: in.Lines}
	for _, d := range in.Differences {
		deal, err := pool.ParseHash(d.Deal)
		if err != nil {
			return pool.Answer{}, fmt.Errorf("decoding the answer to an errand: %w", err)
		}
		var task pool.Hash
		if d.Task != "" {
			if task, err = pool.ParseHash(d.Task); err != nil {
				return pool.Answer{}, fmt.Errorf("decoding the answer to an errand: %w", err)
			}
		}
		out.Differences = append(out.Differences, pool.Difference{Deal: deal, Task: task, What: d.What, Books: d.Books, Chain: d.Chain})
	}
	return out, nil
}
