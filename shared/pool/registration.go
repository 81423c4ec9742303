package pool

import (
	"crypto/sha256"
	"fmt"
	"time"
)

// NewWorker is a checked registration.
type NewWorker struct {
	Account      AccountID
	Name         string
	Key          Digest  // the worker's secret; only its hash is stored
	Wallet       Address // proved to be the owner's; zero = none
	Slots        int
	Capabilities Capabilities
}

// Hearing is what a heartbeat needs to know, read in one round trip without any
// lock.
type Hearing struct {
	Now    time.Time
	Worker Worker // Open is counted from Rows
	Rows   []Assignment
	Turns  map[WorkID]ChainTurn // of the rows whose works are of deals
	Kept   map[WorkID]Digest    // of works whose agreed bytes were lost
	Specs  map[WorkID]Offering  // of the offered rows
	Ready  []Demands            // of the classes that have works to be assigned
	State  State                // of the pool
	Live   int                  // workers with a lease, as a dispatch pass last counted them
}

// Offering is what an offer's answer needs beside its row.
type Offering struct {
	Requester AccountID // whose inputs it reads
	Login     string    // the requester's
	Spec      Spec
	RunLimit  time.Duration
	MemoryMB  int64 // demanded; 0 = nothing
}

// Renewal is what a heartbeat writes of its worker: the lease, and slots and
// capabilities when they were stated (0 and nil otherwise).
type Renewal struct {
	Worker       WorkerID
	Seen         time.Time     // end of the lease when the worker was heard: no renewal once it was cut; zero = whatever it was
	Lease        time.Duration // from now on, by database time
	Interval     time.Duration // told to the worker
	Slots        int
	Capabilities *Capabilities
}

// WorkerRecord is a worker with its past, as GET /workers shows it.
type WorkerRecord struct {
	Worker
	Account    AccountID
	Name       string
	Agreed     int // results agreed upon
	Disagreed  int // results that lost against another digest
	Failed     int // runs that failed
	Lost       int // runs and offers that expired
	Registered time.Time
}

// WalletProof is what a wallet signs (personal_sign) so that a worker may act for
// it: nobody can use another's wallet, nor its own under another worker's key, of
// which the text tells the SHA-256 only.
func WalletProof(pool, worker string, key Digest) string {
	return fmt.Sprintf("I run worker %s of pool %s, key %s", worker, pool, Digest(sha256.Sum256(key[:])))
}
