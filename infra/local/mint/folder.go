package mint

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Folder is where a local chain and the wallets of those who trade on it are kept.
// Only its owner may read it.
type Folder string

// Place says where a chain is and what is on it.
type Place struct {
	ID         uint64       // the chain's number
	Node       string       // URL, while the chain runs
	Hub        pool.Address // all calls of PoCo
	RLC        pool.Address
	Workerpool pool.Address // of the wallet PoolOwner
	App        pool.Address // of the wallet AppOwner; its program is AppProgram
}

// place is Place as it is kept.
type place struct {
	ID         uint64 `json:"chain"`
	Node       string `json:"node"`
	Hub        string `json:"hub"`
	RLC        string `json:"rlc"`
	Workerpool string `json:"workerpool"`
	App        string `json:"app"`
}

// ErrNone says that there is no chain in a folder.
var ErrNone = errors.New("no local chain has been made here")

// Place gives what the folder says; ErrNone when no chain has been made, or not to
// its end.
func (f Folder) Place() (Place, error) {
	text, err := os.ReadFile(f.path("chain.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return Place{}, fmt.Errorf("%w: %s", ErrNone, f)
	}
	if err != nil {
		return Place{}, fmt.Errorf("reading where the local chain is: %w", err)
	}
	var p place
	err = json.Unmarshal(text, &p)
	out := Place{ID: p.ID, Node: p.Node}
	for _, a := range []struct {
		text string
		into *pool.Address
	}{{p.Hub, &out.Hub}, {p.RLC, &out.RLC}, {p.Workerpool, &out.Workerpool}, {p.App, &out.App}} {
		var fault error
		*a.into, fault = pool.ParseAddress(a.text)
		err = errors.Join(err, fault)
	}
	if err != nil {
		return Place{}, fmt.Errorf("reading %s: %w", f.path("chain.json"), err)
	}
	return out, nil
}

func (f Folder) note(p Place) error {
	return f.keep("chain.json", place{
		ID: p.ID, Node: p.Node, Hub: p.Hub.String(), RLC: p.RLC.String(), Workerpool: p.Workerpool.String(), App: p.App.String(),
	})
}

func (f Folder) path(names ...string) string {
	return filepath.Join(append([]string{string(f)}, names...)...)
}

// keep writes a file as a whole or not at all.
func (f Folder) keep(name string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	if err := os.WriteFile(f.path(name+".new"), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if err := os.Rename(f.path(name+".new"), f.path(name)); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// Wallet is a keystore with the password that opens it, both in files.
type Wallet struct {
	Address      pool.Address
	File         string
	PasswordFile string
}

// Wallet gives the wallet of a name, which was made when the chain was last started.
func (f Folder) Wallet(name string) (Wallet, error) {
	w := Wallet{File: f.path("wallets", name+".json"), PasswordFile: f.path("wallets", "password")}
	text, err := os.ReadFile(w.File)
	if err != nil {
		return w, fmt.Errorf("reading the wallet %s: %w", name, err)
	}
	var says struct{ Address string }
	if err = json.Unmarshal(text, &says); err == nil {
		w.Address, err = pool.ParseAddress("0x" + says.Address)
	}
	if err != nil {
		return w, fmt.Errorf("reading the wallet %s: %w", w.File, err)
	}
	return w, nil
}

// Names gives the names of all wallets.
func (f Folder) Names() (map[pool.Address]string, error) {
	files, err := filepath.Glob(f.path("wallets", "*.json"))
	if err != nil {
		return nil, fmt.Errorf("looking for wallets: %w", err)
	}
	out := map[pool.Address]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		w, err := f.Wallet(name)
		if err != nil {
			return nil, err
		}
		out[w.Address] = name
	}
	return out, nil
}

// Key opens the wallet.
func (w Wallet) Key() (*ethsig.Key, error) {
	keystore, password, err := w.read()
	if err != nil {
		return nil, err
	}
	key, err := ethsig.OpenKeystore(keystore, password)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", w.File, err)
	}
	return key, nil
}

// Secret gives the wallet in the form in which the functions read it.
func (w Wallet) Secret() (string, error) {
	keystore, password, err := w.read()
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]string{"keystore": string(keystore), "password": password})
	if err != nil {
		return "", fmt.Errorf("encoding %s: %w", w.File, err)
	}
	return string(text), nil
}

func (w Wallet) read() (keystore []byte, password string, err error) {
	keystore, err = os.ReadFile(w.File)
	if err != nil {
		return nil, "", fmt.Errorf("reading a wallet: %w", err)
	}
	text, err := os.ReadFile(w.PasswordFile)
	if err != nil {
		return nil, "", fmt.Errorf("reading the password of the wallets: %w", err)
	}
	return keystore, string(text), nil
}

// wallet gives the wallet of a name, and makes it when there is none.
func (f Folder) wallet(name string) (Wallet, error) {
	w, err := f.Wallet(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return w, err
	}
	password, err := f.password(w.PasswordFile)
	if err != nil {
		return w, err
	}
	key, err := ethsig.GenerateKey()
	if err != nil {
		return w, err
	}
	sealed, err := key.Seal(password)
	if err != nil {
		return w, err
	}
	w.Address = key.Address()
	return w, f.keep(filepath.Join("wallets", name+".json"), json.RawMessage(sealed))
}

// password draws the password of all wallets when there is none yet.
func (f Folder) password(path string) (string, error) {
	text, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return string(text), err
	}
	fresh := rand.Text()
	if err := os.WriteFile(path, []byte(fresh), 0o600); err != nil {
		return "", fmt.Errorf("writing the password of the wallets: %w", err)
	}
	return fresh, nil
}
