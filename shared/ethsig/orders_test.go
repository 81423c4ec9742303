package ethsig

import (
	"maps"
	"math/big"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"pgregory.net/rapid"

	"workerpool/shared/pool"
)

// fields spells an order's fields for go-ethereum's EIP-712: name, type.
type fields [][2]string

var (
	terms        = fields{{"volume", "uint256"}, {"tag", "bytes32"}}
	appFields    = join(fields{{"app", "address"}, {"appprice", "uint256"}}, terms, fields{{"datasetrestrict", "address"}, {"workerpoolrestrict", "address"}, {"requesterrestrict", "address"}, {"salt", "bytes32"}})
	dataFields   = join(fields{{"dataset", "address"}, {"datasetprice", "uint256"}}, terms, fields{{"apprestrict", "address"}, {"workerpoolrestrict", "address"}, {"requesterrestrict", "address"}, {"salt", "bytes32"}})
	poolFields   = join(fields{{"workerpool", "address"}, {"workerpoolprice", "uint256"}}, terms, fields{{"category", "uint256"}, {"trust", "uint256"}, {"apprestrict", "address"}, {"datasetrestrict", "address"}, {"requesterrestrict", "address"}, {"salt", "bytes32"}})
	askFields    = join(fields{{"app", "address"}, {"appmaxprice", "uint256"}, {"dataset", "address"}, {"datasetmaxprice", "uint256"}, {"workerpool", "address"}, {"workerpoolmaxprice", "uint256"}, {"requester", "address"}}, terms, fields{{"category", "uint256"}, {"trust", "uint256"}, {"beneficiary", "address"}, {"callback", "address"}, {"params", "string"}, {"salt", "bytes32"}})
	domainFields = fields{{"name", "string"}, {"version", "string"}, {"chainId", "uint256"}, {"verifyingContract", "address"}}
)

func join(parts ...fields) (out fields) {
	for _, part := range parts {
		out = append(out, part...)
	}
	return out
}

func typed(of fields) (out []apitypes.Type) {
	for _, f := range of {
		out = append(out, apitypes.Type{Name: f[0], Type: f[1]})
	}
	return out
}

// message reads an order's values in the order of its fields.
func message(t *rapid.T, order Order, of fields) apitypes.TypedDataMessage {
	out := apitypes.TypedDataMessage{}
	value := reflect.ValueOf(order)
	if value.NumField() != len(of) {
		t.Fatalf("%T has %d fields, want %d", order, value.NumField(), len(of))
	}
	for i, f := range of {
		switch v := value.Field(i).Interface().(type) {
		case pool.Address:
			out[f[0]] = common.Address(v).Hex()
		case pool.Hash:
			out[f[0]] = v[:]
		case pool.NRLC:
			out[f[0]] = big.NewInt(int64(v))
		case uint64:
			out[f[0]] = new(big.Int).SetUint64(v)
		case string:
			out[f[0]] = v
		default:
			t.Fatalf("%T has a field of %T", order, v)
		}
	}
	return out
}

func anyOrder[T Order](t *rapid.T) Order {
	var order T
	value := reflect.ValueOf(&order).Elem()
	for i := range value.NumField() {
		name := value.Type().Field(i).Name
		switch into := value.Field(i).Addr().Interface().(type) {
		case *pool.Address:
			*into = pool.Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, name))
		case *pool.Hash:
			*into = pool.Hash(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, name))
		case *pool.NRLC:
			*into = pool.NRLC(rapid.Int64Min(0).Draw(t, name))
		case *uint64:
			*into = rapid.Uint64().Draw(t, name)
		case *string:
			*into = rapid.String().Draw(t, name)
		}
	}
	return order
}

// TestOrders compares with go-ethereum's own EIP-712 on orders of all values.
func TestOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		domain := Domain{ChainID: rapid.Uint64().Draw(t, "chain"), Hub: pool.Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "hub"))}
		orders := map[string]struct {
			order Order
			of    fields
		}{
			"AppOrder":        {anyOrder[AppOrder](t), appFields},
			"DatasetOrder":    {anyOrder[DatasetOrder](t), dataFields},
			"WorkerpoolOrder": {anyOrder[WorkerpoolOrder](t), poolFields},
			"RequestOrder":    {anyOrder[RequestOrder](t), askFields},
		}
		for _, kind := range slices.Sorted(maps.Keys(orders)) {
			c := orders[kind]
			data := apitypes.TypedData{
				Types:       apitypes.Types{"EIP712Domain": typed(domainFields), kind: typed(c.of)},
				PrimaryType: kind,
				Domain: apitypes.TypedDataDomain{
					Name: "iExecODB", Version: "5.0.0", ChainId: (*math.HexOrDecimal256)(new(big.Int).SetUint64(domain.ChainID)),
					VerifyingContract: common.Address(domain.Hub).Hex(),
				},
				Message: message(t, c.order, c.of),
			}
			want, _, err := apitypes.TypedDataAndHash(data)
			if err != nil {
				t.Fatal(err)
			}
			if got := domain.Hash(c.order); string(got[:]) != string(want) {
				t.Fatalf("%s: %s, want %x", kind, got, want)
			}
			separator, err := data.HashStruct("EIP712Domain", data.Domain.Map())
			if err != nil {
				t.Fatal(err)
			}
			if got := domain.Separator(); string(got[:]) != string(separator) {
				t.Fatalf("domain separator %s, want %s", got, separator)
			}
		}
	})
}

// TestTypeHashes compares with the constants of IexecLibOrders_v5, as which the
// types here are spelt in the contract's bytecode.
func TestTypeHashes(t *testing.T) {
	for name, c := range map[string]struct {
		of   fields
		want string
	}{
		"EIP712Domain":    {domainFields, "0x8b73c3c69bb8fe3d512ecc4cf759cc79239f7b179b0ffacaa9a75d522b39400f"},
		"AppOrder":        {appFields, "0x60815a0eeec47dddf1615fe53b31d016c31444e01b9d796db365443a6445d008"},
		"DatasetOrder":    {dataFields, "0x6cfc932a5a3d22c4359295b9f433edff52b60703fa47690a04a83e40933dd47c"},
		"WorkerpoolOrder": {poolFields, "0xaa3429fb281b34691803133d3d978a75bb77c617ed6bc9aa162b9b30920022bb"},
		"RequestOrder":    {askFields, "0xf24e853034a3a450aba845a82914fbb564ad85accca6cf62be112a154520fae0"},
	} {
		data := apitypes.TypedData{Types: apitypes.Types{name: typed(c.of)}}
		if got := data.TypeHash(name).String(); got != c.want {
			t.Errorf("%s: type hash %s, want %s", name, got, c.want)
		}
	}
}
