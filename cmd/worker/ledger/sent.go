//go:build linux

package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Sending is one call of the chain by a wallet, until it is known what became of it.
type Sending struct {
	Nonce uint64 `json:"nonce"`
	Kind  string `json:"kind"` // contribute or reveal
	Task  string `json:"task"`
	To    []byte `json:"to"`
	Data  []byte `json:"data"`
	Tries []Try  `json:"tries"` // under its nonce, each at a higher price than the one before
}

// Try is signed bytes, and how they are known.
type Try struct {
	Hash    string `json:"hash"`
	Raw     []byte `json:"raw"`
	Nothing bool   `json:"nothing,omitempty"` // it does nothing but take the nonce
}

// Sent is a wallet's sendings. They are the wallet's and not the pool's:
// they stay when the worker goes over to another pool.
type Sent struct{ path string }

// Sent gives the sendings of a wallet to a hub, both named by their addresses.
func (l *Ledger) Sent(hub, wallet string) (*Sent, error) {
	folder := filepath.Join(l.dir, "sent")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of what is sent: %w", err)
	}
	if err := syncFolder(l.dir); err != nil {
		return nil, fmt.Errorf("storing the folder of what is sent: %w", err)
	}
	return &Sent{path: filepath.Join(folder, hub+"-"+wallet+".json")}, nil
}

// Load gives what was stored last.
func (s *Sent) Load() ([]Sending, error) {
	text, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was sent: %w", err)
	}
	var out []Sending
	if err := json.Unmarshal(text, &out); err != nil {
		return nil, fmt.Errorf("reading %s: %w", s.path, err)
	}
	return out, nil
}

// Save stores sendings in the place of those before. When it returns they outlast
// the machine's fall; after an error those before still stand.
func (s *Sent) Save(sendings []Sending) error {
	if err := replace(s.path, sendings); err != nil {
		return fmt.Errorf("storing what is sent: %w", err)
	}
	return nil
}
