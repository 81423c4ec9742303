package ethsig

import "workerpool/shared/pool"

// Domain is where orders are good: one hub of one chain (EIP-712).
type Domain struct {
	ChainID uint64
	Hub     pool.Address
}

// Separator is the domain's hash, as the hub gives it by eip712domain_separator.
func (d Domain) Separator() pool.Hash {
	return structHash("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
		text("iExecODB"), text("5.0.0"), number(d.ChainID), account(d.Hub))
}

// Hash is what the order's owner signs, and by which the hub counts what is
// consumed of it.
func (d Domain) Hash(order Order) pool.Hash {
	separator, body := d.Separator(), order.structHash()
	return Keccak([]byte{0x19, 0x01}, separator[:], body[:])
}

// Order is one of the four orders that make a deal. Amounts are not negative;
// a restriction that is zero restricts nothing.
type Order interface{ structHash() pool.Hash }

// AppOrder lets an app be used.
type AppOrder struct {
	App                pool.Address
	Price              pool.NRLC // of one task
	Volume             uint64    // tasks
	Tag                pool.Hash
	DatasetRestrict    pool.Address
	WorkerpoolRestrict pool.Address
	RequesterRestrict  pool.Address
	Salt               pool.Hash // makes two equal orders differ
}

// DatasetOrder lets a dataset be used. A deal without one has the zero order.
type DatasetOrder struct {
	Dataset            pool.Address
	Price              pool.NRLC // of one task
	Volume             uint64    // tasks
	Tag                pool.Hash
	AppRestrict        pool.Address
	WorkerpoolRestrict pool.Address
	RequesterRestrict  pool.Address
	Salt               pool.Hash
}

// WorkerpoolOrder offers a pool's work.
type WorkerpoolOrder struct {
	Workerpool        pool.Address
	Price             pool.NRLC // of one task
	Volume            uint64    // tasks
	Tag               pool.Hash
	Category          uint64
	Trust             uint64
	AppRestrict       pool.Address
	DatasetRestrict   pool.Address
	RequesterRestrict pool.Address
	Salt              pool.Hash
}

// RequestOrder asks for work.
type RequestOrder struct {
	App                pool.Address
	AppMaxPrice        pool.NRLC // of one task, as the others
	Dataset            pool.Address
	DatasetMaxPrice    pool.NRLC
	Workerpool         pool.Address // zero = any
	WorkerpoolMaxPrice pool.NRLC
	Requester          pool.Address
	Volume             uint64 // tasks
	Tag                pool.Hash
	Category           uint64
	Trust              uint64
	Beneficiary        pool.Address
	Callback           pool.Address
	Params             string
	Salt               pool.Hash
}

// The types are those of IexecLibOrders_v5.

func (o AppOrder) structHash() pool.Hash {
	return structHash("AppOrder(address app,uint256 appprice,uint256 volume,bytes32 tag,address datasetrestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt)",
		account(o.App), money(o.Price), number(o.Volume), o.Tag,
		account(o.DatasetRestrict), account(o.WorkerpoolRestrict), account(o.RequesterRestrict), o.Salt)
}

func (o DatasetOrder) structHash() pool.Hash {
	return structHash("DatasetOrder(address dataset,uint256 datasetprice,uint256 volume,bytes32 tag,address apprestrict,address workerpoolrestrict,address requesterrestrict,bytes32 salt)",
		account(o.Dataset), money(o.Price), number(o.Volume), o.Tag,
		account(o.AppRestrict), account(o.WorkerpoolRestrict), account(o.RequesterRestrict), o.Salt)
}

func (o WorkerpoolOrder) structHash() pool.Hash {
	return structHash("WorkerpoolOrder(address workerpool,uint256 workerpoolprice,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address apprestrict,address datasetrestrict,address requesterrestrict,bytes32 salt)",
		account(o.Workerpool), money(o.Price), number(o.Volume), o.Tag, number(o.Category), number(o.Trust),
		account(o.AppRestrict), account(o.DatasetRestrict), account(o.RequesterRestrict), o.Salt)
}

func (o RequestOrder) structHash() pool.Hash {
	return structHash("RequestOrder(address app,uint256 appmaxprice,address dataset,uint256 datasetmaxprice,address workerpool,uint256 workerpoolmaxprice,address requester,uint256 volume,bytes32 tag,uint256 category,uint256 trust,address beneficiary,address callback,string params,bytes32 salt)",
		account(o.App), money(o.AppMaxPrice), account(o.Dataset), money(o.DatasetMaxPrice),
		account(o.Workerpool), money(o.WorkerpoolMaxPrice), account(o.Requester),
		number(o.Volume), o.Tag, number(o.Category), number(o.Trust),
		account(o.Beneficiary), account(o.Callback), text(o.Params), o.Salt)
}

// structHash is hashStruct of EIP-712; each field is one word.
func structHash(kind string, fields ...[32]byte) pool.Hash {
	encoded := make([]byte, 0, 32*(len(fields)+1))
	of := text(kind)
	encoded = append(encoded, of[:]...)
	for _, field := range fields {
		encoded = append(encoded, field[:]...)
	}
	return Keccak(encoded)
}

func text(s string) [32]byte { return Keccak([]byte(s)) }

func money(amount pool.NRLC) [32]byte { return number(uint64(amount)) }

func account(a pool.Address) (word [32]byte) {
	copy(word[12:], a[:])
	return word
}
