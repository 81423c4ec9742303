// Package orders puts signed orders into the forms in which others take them: the
// contracts' and that of the files of iExec's client (orders.json of npm
// iexec 8.24.0, which "iexec order fill" reads). It must not sign or judge them.
package orders

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"workerpool/shared/chain/poco"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// Kinds of orders, as the files name them.
const (
	App        = "apporder"
	Workerpool = "workerpoolorder"
)

// OfApp gives an order in the contracts' form.
func OfApp(o ethsig.AppOrder, signature [65]byte) poco.IexecLibOrdersV5AppOrder {
	return poco.IexecLibOrdersV5AppOrder{
		App: common.Address(o.App), Appprice: money(o.Price), Volume: number(o.Volume), Tag: o.Tag,
		Datasetrestrict: common.Address(o.DatasetRestrict), Workerpoolrestrict: common.Address(o.WorkerpoolRestrict), Requesterrestrict: common.Address(o.RequesterRestrict),
		Salt: o.Salt, Sign: signature[:],
	}
}

// OfWorkerpool gives an order in the contracts' form.
func OfWorkerpool(o ethsig.WorkerpoolOrder, signature [65]byte) poco.IexecLibOrdersV5WorkerpoolOrder {
	return poco.IexecLibOrdersV5WorkerpoolOrder{
		Workerpool: common.Address(o.Workerpool), Workerpoolprice: money(o.Price), Volume: number(o.Volume), Tag: o.Tag,
		Category: number(o.Category), Trust: number(o.Trust),
		Apprestrict: common.Address(o.AppRestrict), Datasetrestrict: common.Address(o.DatasetRestrict), Requesterrestrict: common.Address(o.RequesterRestrict),
		Salt: o.Salt, Sign: signature[:],
	}
}

// OfRequest gives an order in the contracts' form.
func OfRequest(o ethsig.RequestOrder, signature [65]byte) poco.IexecLibOrdersV5RequestOrder {
	return poco.IexecLibOrdersV5RequestOrder{
		App: common.Address(o.App), Appmaxprice: money(o.AppMaxPrice), Dataset: common.Address(o.Dataset), Datasetmaxprice: money(o.DatasetMaxPrice),
		Workerpool: common.Address(o.Workerpool), Workerpoolmaxprice: money(o.WorkerpoolMaxPrice), Requester: common.Address(o.Requester),
		Volume: number(o.Volume), Tag: o.Tag, Category: number(o.Category), Trust: number(o.Trust),
		Beneficiary: common.Address(o.Beneficiary), Callback: common.Address(o.Callback), Params: o.Params, Salt: o.Salt, Sign: signature[:],
	}
}

// OfDataset gives an order in the contracts' form.
func OfDataset(o ethsig.DatasetOrder, signature [65]byte) poco.IexecLibOrdersV5DatasetOrder {
	return poco.IexecLibOrdersV5DatasetOrder{
		Dataset: common.Address(o.Dataset), Datasetprice: money(o.Price), Volume: number(o.Volume), Tag: o.Tag,
		Apprestrict: common.Address(o.AppRestrict), Workerpoolrestrict: common.Address(o.WorkerpoolRestrict), Requesterrestrict: common.Address(o.RequesterRestrict),
		Salt: o.Salt, Sign: signature[:],
	}
}

// NoDataset is the order of a deal without a dataset.
func NoDataset() poco.IexecLibOrdersV5DatasetOrder {
	return poco.IexecLibOrdersV5DatasetOrder{Datasetprice: new(big.Int), Volume: new(big.Int)}
}

func money(n pool.NRLC) *big.Int { return big.NewInt(int64(n)) }

func number(n uint64) *big.Int { return new(big.Int).SetUint64(n) }

// book is a file of orders: by chain, by kind. All values are texts.
type book map[string]map[string]map[string]string

// Write writes an order of a kind, in the contracts' form, as the only one of a
// file. It is whole or not there.
func Write(file string, chain uint64, kind string, order any) error {
	fields := map[string]string{}
	for name, value := range fieldsOf(reflect.ValueOf(order)) {
		fields[name] = written(value)
	}
	text, err := json.MarshalIndent(book{strconv.FormatUint(chain, 10): {kind: fields}}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding an order: %w", err)
	}
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("writing an order: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("writing an order: %w", err)
	}
	return nil
}

// ErrNone says that a file has no order of a kind for a chain.
var ErrNone = errors.New("no such order")

// Read reads an order of a kind into the contracts' form.
func Read(file string, chain uint64, kind string, into any) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: there is no %s", ErrNone, file)
	}
	if err != nil {
		return fmt.Errorf("reading an order: %w", err)
	}
	var b book
	if err := json.Unmarshal(text, &b); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	fields, found := b[strconv.FormatUint(chain, 10)][kind]
	if !found {
		return fmt.Errorf("%w: %s has no %s for chain %d", ErrNone, file, kind, chain)
	}
	for name, value := range fieldsOf(reflect.ValueOf(into).Elem()) {
		if err := read(fields[name], value); err != nil {
			return fmt.Errorf("the %s of %s: %s: %w", kind, file, name, err)
		}
	}
	return nil
}

// fieldsOf gives an order's fields by their names in files.
func fieldsOf(order reflect.Value) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range order.NumField() {
		out[strings.ToLower(order.Type().Field(i).Name)] = order.Field(i)
	}
	return out
}

func written(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case common.Address:
		return v.Hex()
	case [32]byte:
		return "0x" + hex.EncodeToString(v[:])
	case []byte:
		return "0x" + hex.EncodeToString(v)
	case *big.Int:
		return v.String()
	default:
		return value.String()
	}
}

func read(text string, value reflect.Value) error {
	switch into := value.Addr().Interface().(type) {
	case **big.Int:
		n, ok := new(big.Int).SetString(text, 10)
		if !ok || n.Sign() < 0 {
			return fmt.Errorf("a whole number is wanted, here %q", text)
		}
		*into = n
	case *string:
		*into = text
	default:
		bytes, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
		if err != nil || value.Kind() == reflect.Array && len(bytes) != value.Len() {
			return fmt.Errorf("hexadecimal characters are wanted, here %q", text)
		}
		if value.Kind() == reflect.Array {
			reflect.Copy(value, reflect.ValueOf(bytes))
			return nil
		}
		value.SetBytes(bytes)
	}
	return nil
}
