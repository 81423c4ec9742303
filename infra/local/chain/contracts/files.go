package contracts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// ErrMissing is returned when the npm package was not fetched. It says in one line
// what to do.
var ErrMissing = errors.New("the contracts of the chain are missing: make contracts")

// place is where `make contracts` puts the npm package, below the module's top.
const place = ".local/tools/poco/node_modules/@iexec/poco"

// Folder gives the folder of the npm package, or ErrMissing. It is looked for from
// the working folder upwards, as Go looks for its module.
func Folder() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("looking for the contracts: %w", err)
	}
	for ; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			found := filepath.Join(at, place)
			if _, err := os.Stat(found); err != nil {
				return "", ErrMissing
			}
			return found, nil
		}
		if at == filepath.Dir(at) {
			return "", ErrMissing
		}
	}
}

// file is one contract of the package.
type file struct {
	abi  abi.ABI // empty for RLC, and for the library, whose own is not one of calls
	code []byte  // that makes it
}

// where is the folder of contracts as deployed on Arbitrum One; the hub's file there
// has the arguments of that deployment behind its code, so its code is read as
// compiled, which is the same. What takes results called back was not deployed there.
func where(name string) string {
	switch name {
	case "Diamond":
		return "artifacts/contracts/Diamond.sol"
	case Keeping, Wasting:
		return "artifacts/contracts/tools/testing/" + name + ".sol"
	}
	return "deployments/arbitrum"
}

func read(names []string) (map[string]file, error) {
	folder, err := Folder()
	if err != nil {
		return nil, err
	}
	out := map[string]file{}
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(folder, where(name), name+".json"))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrMissing
		}
		if err != nil {
			return nil, fmt.Errorf("reading a contract: %w", err)
		}
		if out[name], err = parse(name, text); err != nil {
			return nil, fmt.Errorf("reading the contract %s: %w", name, err)
		}
	}
	return out, nil
}

func parse(name string, text []byte) (file, error) {
	var in struct {
		ABI      json.RawMessage `json:"abi"`
		Bytecode hexutil.Bytes   `json:"bytecode"`
	}
	if err := json.Unmarshal(text, &in); err != nil {
		return file{}, err
	}
	out := file{code: in.Bytecode}
	if in.ABI == nil || name == library {
		return out, nil
	}
	var err error
	out.abi, err = abi.JSON(bytes.NewReader(in.ABI))
	return out, err
}
