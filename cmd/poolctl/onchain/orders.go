package onchain

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

// signedOrder is a workerpool order as iExec's client writes and reads it
// (signedWorkerpoolorderSchema in common/utils/validator.js of npm iexec 8.24.0):
// numbers are decimal texts, price in nRLC.
type signedOrder struct {
	Workerpool        string `json:"workerpool"`
	WorkerpoolPrice   string `json:"workerpoolprice"`
	Volume            string `json:"volume"`
	Tag               string `json:"tag"`
	Category          string `json:"category"`
	Trust             string `json:"trust"`
	AppRestrict       string `json:"apprestrict"`
	DatasetRestrict   string `json:"datasetrestrict"`
	RequesterRestrict string `json:"requesterrestrict"`
	Salt              string `json:"salt"`
	Sign              string `json:"sign"`
}

func toSigned(o ethsig.WorkerpoolOrder, signature []byte) signedOrder {
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	return signedOrder{
		Workerpool: o.Workerpool.String(), WorkerpoolPrice: number(uint64(o.Price)), Volume: number(o.Volume), Tag: o.Tag.String(),
		Category: number(o.Category), Trust: number(o.Trust), AppRestrict: o.AppRestrict.String(),
		DatasetRestrict: o.DatasetRestrict.String(), RequesterRestrict: o.RequesterRestrict.String(), Salt: o.Salt.String(), Sign: hexOf(signature),
	}
}

// keptOrder is an order with its signature.
type keptOrder struct {
	ethsig.WorkerpoolOrder
	signature []byte
}

// parse reads an order; the error names the field.
func (s signedOrder) parse() (keptOrder, error) {
	var o keptOrder
	var faults []error
	note := func(field string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", field, err))
		}
	}
	place := func(field, text string, into *pool.Address) {
		parsed, err := pool.ParseAddress(text)
		note(field, err)
		*into = parsed
	}
	word := func(field, text string, into *pool.Hash) {
		parsed, err := pool.ParseHash(text)
		note(field, err)
		*into = parsed
	}
	number := func(field, text string, into *uint64) {
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			err = fmt.Errorf("a whole number is wanted, here %q", text)
		}
		note(field, err)
		*into = n
	}
	var price uint64
	place("workerpool", s.Workerpool, &o.Workerpool)
	number("workerpoolprice", s.WorkerpoolPrice, &price)
	number("volume", s.Volume, &o.Volume)
	word("tag", s.Tag, &o.Tag)
	number("category", s.Category, &o.Category)
	number("trust", s.Trust, &o.Trust)
	place("apprestrict", s.AppRestrict, &o.AppRestrict)
	place("datasetrestrict", s.DatasetRestrict, &o.DatasetRestrict)
	place("requesterrestrict", s.RequesterRestrict, &o.RequesterRestrict)
	word("salt", s.Salt, &o.Salt)
	o.Price = pool.NRLC(price)
	var err error
	o.signature, err = hex.DecodeString(strings.TrimPrefix(s.Sign, "0x"))
	note("sign", err)
	return o, errors.Join(faults...)
}

// ofWorkerpool is the name under which iExec's client keeps a pool's order.
const ofWorkerpool = "workerpoolorder"

// book is the file orders.json of iExec's client: by chain, by kind. Orders of
// other kinds are kept as they are.
type book map[string]map[string]json.RawMessage

// read reads a file of orders; one that is not there is empty.
func read(file string) (book, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return book{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the orders: %w", err)
	}
	b := book{}
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("%s is no file of orders, which has objects for chains with objects for orders: %w", file, err)
	}
	return b, nil
}

// take gives the pool's order of a file for a chain.
func take(file string, chain uint64) (order keptOrder, found bool, err error) {
	b, err := read(file)
	if err != nil {
		return order, false, err
	}
	text, found := b[strconv.FormatUint(chain, 10)][ofWorkerpool]
	if !found {
		return order, false, nil
	}
	var s signedOrder
	if err := json.Unmarshal(text, &s); err != nil {
		return order, false, fmt.Errorf("the %s for chain %d in %s: %w", ofWorkerpool, chain, file, err)
	}
	if order, err = s.parse(); err != nil {
		return order, false, fmt.Errorf("the %s for chain %d in %s: %w", ofWorkerpool, chain, file, err)
	}
	return order, true, nil
}

// put writes the pool's order for a chain into a file, whole or not at all.
func put(file string, chain uint64, order signedOrder) error {
	b, err := read(file)
	if err != nil {
		return err
	}
	number := strconv.FormatUint(chain, 10)
	if b[number] == nil {
		b[number] = map[string]json.RawMessage{}
	}
	if b[number][ofWorkerpool], err = json.Marshal(order); err != nil {
		return fmt.Errorf("writing the order: %w", err)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(b); err != nil {
		return fmt.Errorf("writing the orders: %w", err)
	}
	fresh, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".new-")
	if err != nil {
		return fmt.Errorf("writing the orders: %w", err)
	}
	defer os.Remove(fresh.Name())
	if _, err := fresh.Write(text.Bytes()); err != nil {
		return errors.Join(fmt.Errorf("writing the orders: %w", err), fresh.Close())
	}
	if err := fresh.Close(); err != nil {
		return fmt.Errorf("writing the orders: %w", err)
	}
	if err := os.Rename(fresh.Name(), file); err != nil {
		return fmt.Errorf("writing the orders: %w", err)
	}
	return nil
}
