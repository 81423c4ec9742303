package pool

import (
	"encoding/hex"
	"fmt"
)

// Identifiers as the books know them; all are positive and fit in 53 bits, so
// they pass through every JSON reader unharmed.
type (
	// AccountID names a requester, a worker owner or an operator.
	AccountID int64
	// WorkerID names one worker: a machine (or a part of it) with its slots.
	WorkerID int64
	// BatchID names the works submitted in one call.
	BatchID int64
	// WorkID names one work. It is made of its batch and its place in it, so a
	// batch has a gapless range of ids known before any row is written.
	WorkID int64
	// ClassID names a set of equal demands: works of one class can be run by
	// exactly the same workers.
	ClassID int64
)

// MaxBatch is the largest number of works in one batch.
const MaxBatch = 10_000

const batchBits = 14 // 2^14 > MaxBatch

// Work gives the id of the batch's work at a place counted from 0.
func (b BatchID) Work(index int) WorkID { return WorkID(int64(b)<<batchBits | int64(index)) }

// Batch gives the batch a work was submitted in.
func (w WorkID) Batch() BatchID { return BatchID(int64(w) >> batchBits) }

// Index gives the work's place in its batch, counted from 0.
func (w WorkID) Index() int { return int(int64(w) & (1<<batchBits - 1)) }

// Digest is a SHA-256 of result or input bytes. The zero value means "none".
type Digest [32]byte

// ParseDigest reads 64 hexadecimal characters.
func ParseDigest(text string) (Digest, error) {
	var d Digest
	if len(text) != 2*len(d) {
		return d, fmt.Errorf("a SHA-256 digest has 64 hexadecimal characters, not %d", len(text))
	}
	if _, err := hex.Decode(d[:], []byte(text)); err != nil {
		return Digest{}, fmt.Errorf("a SHA-256 digest has only hexadecimal characters: %w", err)
	}
	return d, nil
}

// String gives the digest as 64 lower-case hexadecimal characters.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// IsZero tells that there is no digest.
func (d Digest) IsZero() bool { return d == Digest{} }
