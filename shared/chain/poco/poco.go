// Package poco holds the bindings of the iExec PoCo contracts (v6.1.0) that the
// pool, its workers and its operator use: the calls and events of the hub, which
// is one diamond, of the token RLC, of the registries of apps, datasets and
// workerpools, and of a workerpool. It packs and unpacks bytes; it reaches no network.
//
// The ABI files are a part of those in the npm package @iexec/poco 6.1.0
// (https://github.com/iExecBlockchainComputing/PoCo, Copyright 2020-2025 IEXEC
// BLOCKCHAIN TECH, Apache License 2.0), each entry as it is there: a test of
// infra/local/chain compares them. The token's entries are those the hub has too.
//
// Pack... panics on a value that does not fit, TryPack... gives an error: values
// from outside go through the latter.
package poco

//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen@v1.17.10 --v2 --pkg poco --type Hub --abi hub.json --out hub.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen@v1.17.10 --v2 --pkg poco --type RLC --abi rlc.json --out rlc.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen@v1.17.10 --v2 --pkg poco --type AppRegistry --abi appregistry.json --out appregistry.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen@v1.17.10 --v2 --pkg poco --type DatasetRegistry --abi datasetregistry.json --out datasetregistry.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen@v1.17.10 --v2 --pkg poco --type WorkerpoolRegistry --abi workerpoolregistry.json --out workerpoolregistry.go
//go:generate go run github.com/ethereum/go-ethereum/cmd/abigen@v1.17.10 --v2 --pkg poco --type Workerpool --abi workerpool.json --out workerpool.go
