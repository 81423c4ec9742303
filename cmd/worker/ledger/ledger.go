//go:build linux

// Package ledger is what a worker remembers over its own death: who it is and
// which assignments it has. It owns the work directory, its lock and the form of
// its files; it must not run anything or talk to the pool.
//
// Below the directory: lock, identity.json (0600: it holds the worker's secret
// key) and works/WORK.ATTEMPT/, one folder for each assignment, with state.json;
// sent/HUB-WALLET.json, what a wallet sent to the chain's hub and what became of
// it is not known yet; old-N/ is what was put aside when the worker went over to another
// pool.
package ledger

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"workerpool/shared/wire"
)

// ErrBusy is wrapped by Open's error when another process has the directory.
var ErrBusy = errors.New("another worker uses the directory")

// State is where an assignment stands, in the words of a report.
type State string

// The states that are kept. A refused offer is not kept, and an upload that was
// interrupted is begun anew from the state before.
const (
	Running     State = "running"
	Reported    State = "reported"
	Contributed State = "contributed" // of a deal
	Revealed    State = "revealed"    // of a deal
	Uploaded    State = "uploaded"
	Failed      State = "failed"
)

// Brings tells that there is a result to bring to the pool.
func (s State) Brings() bool { return s == Reported || s == Contributed || s == Revealed }

// Entry is one assignment.
type Entry struct {
	Work    int64     `json:"work"`
	Attempt int       `json:"attempt"`
	State   State     `json:"state"`
	Begun   time.Time `json:"begun"` // its run limit counts from here, over restarts
	Run     wire.Run  `json:"run"`
	SHA256  string    `json:"sha256,omitempty"` // of the result, from reported on
	Size    int64     `json:"size,omitempty"`   // bytes of the result
	Reason  string    `json:"reason,omitempty"` // of failed
	Deal    *Deal     `json:"deal,omitempty"`   // of a deal's work

	Fetched map[string]string `json:"fetched,omitempty"` // SHA-256 of what was fetched for Run.Fetch, by name
}

// Deal is what an assignment of a deal's work has besides, in the words of the pool.
type Deal struct {
	Owner         string `json:"owner"`                   // of the pool when the deal was made: its word authorises
	Stake         int64  `json:"stake"`                   // nRLC that the contribution locks
	Authorisation string `json:"authorisation,omitempty"` // checked; "" = the run waits for it
	Digest        string `json:"digest,omitempty"`        // what is contributed, from reported on
	Checks        string `json:"checks,omitempty"`        // SHA-256 of another's archive that it was told to look at
	Found         string `json:"found,omitempty"`         // what it found there, in the word of a report; "" = nothing yet
	Callback      string `json:"callback,omitempty"`      // what the result is called back with, from reported on; "" = it is not
}

// Identity is who the worker is. It is made once for each pool.
type Identity struct {
	Key  string `json:"key"`  // secret: what the pool knows the worker by, next to its name
	Mark string `json:"mark"` // not secret: what its processes are known by
	Pool string `json:"pool"` // the only one that this is for, as Ledger.Identity was told
}

// Ledger is an open work directory.
type Ledger struct {
	dir  string
	lock *os.File
}

const (
	stateName    = "state.json"
	identityName = "identity.json"
)

// Open opens a work directory, making it when it is not there, and keeps others
// out until Close or the end of the process.
func Open(dir string) (*Ledger, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the work directory: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "works"), 0o700); err != nil {
		return nil, fmt.Errorf("making the work directory: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the work directory private: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock of the work directory: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close() // the error to tell is the one above it
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking %s: %w", dir, ErrBusy)
		}
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return &Ledger{dir: dir, lock: lock}, nil
}

// Close lets others in.
func (l *Ledger) Close() error { return l.lock.Close() }

// Identity gives who the worker is at a pool, and makes it up the first time. When
// the directory was another pool's, all that is known of that one, assignments
// too, is put aside into the folder that is given as well: its numbers and its key
// mean nothing here.
func (l *Ledger) Identity(pool string) (id Identity, aside string, err error) {
	path := filepath.Join(l.dir, identityName)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		id = Identity{Key: random(32), Mark: random(8), Pool: pool}
	case err != nil:
		return Identity{}, "", fmt.Errorf("reading the worker's identity: %w", err)
	default:
		if err := json.Unmarshal(text, &id); err != nil {
			return Identity{}, "", fmt.Errorf("reading %s: %w", path, err)
		}
		if len(id.Key) != 64 || id.Mark == "" {
			return Identity{}, "", fmt.Errorf("%s has no key and mark; without it the worker must register under another name", path)
		}
		switch id.Pool {
		case pool:
			return id, "", nil
		case "": // it was made when pools were not noted
		default:
			if aside, err = l.putAside(id); err != nil {
				return Identity{}, "", fmt.Errorf("putting aside what belongs to %s: %w", id.Pool, err)
			}
			// The mark stays: by it the processes of the other pool's runs are found.
			id.Key = random(32)
		}
		id.Pool = pool
	}
	if err := replace(path, id); err != nil {
		return Identity{}, "", fmt.Errorf("storing the worker's identity: %w", err)
	}
	return id, aside, nil
}

// putAside moves the assignments, with a copy of the identity, into a new folder.
// The identity in its place is the last to change: until then it is done again.
func (l *Ledger) putAside(id Identity) (aside string, err error) {
	for n := 1; aside == ""; n++ {
		path := filepath.Join(l.dir, fmt.Sprintf("old-%d", n))
		if err := os.Mkdir(path, 0o700); err == nil {
			aside = path
		} else if !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	if err := replace(filepath.Join(aside, identityName), id); err != nil {
		return "", err
	}
	works := filepath.Join(l.dir, "works")
	if err := os.Rename(works, filepath.Join(aside, "works")); err != nil {
		return "", err
	}
	if err := os.Mkdir(works, 0o700); err != nil {
		return "", err
	}
	return aside, errors.Join(syncFolder(aside), syncFolder(l.dir))
}

func random(bytes int) string {
	b := make([]byte, bytes)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Folder gives the folder of an assignment.
func (l *Ledger) Folder(work int64, attempt int) string {
	return filepath.Join(l.dir, "works", fmt.Sprintf("%d.%d", work, attempt))
}

// Save stores an assignment, making its folder the first time. After an error the
// entry stored before still stands.
func (l *Ledger) Save(e Entry) error {
	folder := l.Folder(e.Work, e.Attempt)
	if err := os.Mkdir(folder, 0o700); err == nil {
		if err := syncFolder(filepath.Dir(folder)); err != nil {
			return fmt.Errorf("storing assignment %d.%d: %w", e.Work, e.Attempt, err)
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making the folder of an assignment: %w", err)
	}
	if err := replace(filepath.Join(folder, stateName), e); err != nil {
		return fmt.Errorf("storing assignment %d.%d: %w", e.Work, e.Attempt, err)
	}
	return nil
}

// Drop forgets an assignment and deletes its folder.
func (l *Ledger) Drop(work int64, attempt int) error {
	folder := l.Folder(work, attempt)
	// Without its state the folder means nothing, should the rest not go.
	if err := os.Remove(filepath.Join(folder, stateName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forgetting assignment %d.%d: %w", work, attempt, err)
	}
	return erase(folder)
}

// Entries gives the assignments stored, in no order, and deletes folders
// that hold none: of those the worker never said that it had them. A state that
// cannot be read is deleted with its folder and told as a fault.
func (l *Ledger) Entries() (entries []Entry, faults []error, err error) {
	folders, err := os.ReadDir(filepath.Join(l.dir, "works"))
	if err != nil {
		return nil, nil, fmt.Errorf("listing the assignments: %w", err)
	}
	for _, folder := range folders {
		path := filepath.Join(l.dir, "works", folder.Name())
		var e Entry
		text, err := os.ReadFile(filepath.Join(path, stateName))
		if err == nil {
			err = json.Unmarshal(text, &e)
		}
		if err == nil && path != l.Folder(e.Work, e.Attempt) {
			err = fmt.Errorf("it is about assignment %d.%d", e.Work, e.Attempt)
		}
		if err == nil {
			entries = append(entries, e)
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, fmt.Errorf("reading the assignment in %s, which is deleted: %w", path, err))
		}
		if err := erase(path); err != nil {
			faults = append(faults, err)
		}
	}
	return entries, faults, nil
}

// Free gives the bytes that may still be written below the directory.
func (l *Ledger) Free() (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(l.dir, &stat); err != nil {
		return 0, fmt.Errorf("asking for the free disk space: %w", err)
	}
	return int64(stat.Bavail) * stat.Bsize, nil
}
