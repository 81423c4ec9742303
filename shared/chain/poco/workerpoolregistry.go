// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package poco

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// WorkerpoolRegistryMetaData contains all meta data concerning the WorkerpoolRegistry contract.
var WorkerpoolRegistryMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"balanceOf\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"_workerpoolOwner\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"_workerpoolDescription\",\"type\":\"string\"}],\"name\":\"createWorkerpool\",\"outputs\":[{\"internalType\":\"contractWorkerpool\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"_entry\",\"type\":\"address\"}],\"name\":\"isRegistered\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"tokenId\",\"type\":\"uint256\"}],\"name\":\"ownerOf\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"_workerpoolOwner\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"_workerpoolDescription\",\"type\":\"string\"}],\"name\":\"predictWorkerpool\",\"outputs\":[{\"internalType\":\"contractWorkerpool\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"tokenOfOwnerByIndex\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "WorkerpoolRegistry",
}

// WorkerpoolRegistry is an auto generated Go binding around an Ethereum contract.
type WorkerpoolRegistry struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *WorkerpoolRegistry) GetABI() abi.ABI {
	return c.abi
}

// NewWorkerpoolRegistry creates a new instance of WorkerpoolRegistry.
func NewWorkerpoolRegistry() *WorkerpoolRegistry {
	parsed, err := WorkerpoolRegistryMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &WorkerpoolRegistry{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *WorkerpoolRegistry) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackBalanceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x70a08231.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (workerpoolRegistry *WorkerpoolRegistry) PackBalanceOf(owner common.Address) []byte {
	enc, err := workerpoolRegistry.abi.Pack("balanceOf", owner)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackBalanceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x70a08231.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (workerpoolRegistry *WorkerpoolRegistry) TryPackBalanceOf(owner common.Address) ([]byte, error) {
	return workerpoolRegistry.abi.Pack("balanceOf", owner)
}

// UnpackBalanceOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x70a08231.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (workerpoolRegistry *WorkerpoolRegistry) UnpackBalanceOf(data []byte) (*big.Int, error) {
	out, err := workerpoolRegistry.abi.Unpack("balanceOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCreateWorkerpool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe40238f4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function createWorkerpool(address _workerpoolOwner, string _workerpoolDescription) returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) PackCreateWorkerpool(workerpoolOwner common.Address, workerpoolDescription string) []byte {
	enc, err := workerpoolRegistry.abi.Pack("createWorkerpool", workerpoolOwner, workerpoolDescription)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCreateWorkerpool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe40238f4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function createWorkerpool(address _workerpoolOwner, string _workerpoolDescription) returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) TryPackCreateWorkerpool(workerpoolOwner common.Address, workerpoolDescription string) ([]byte, error) {
	return workerpoolRegistry.abi.Pack("createWorkerpool", workerpoolOwner, workerpoolDescription)
}

// UnpackCreateWorkerpool is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe40238f4.
//
// Solidity: function createWorkerpool(address _workerpoolOwner, string _workerpoolDescription) returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) UnpackCreateWorkerpool(data []byte) (common.Address, error) {
	out, err := workerpoolRegistry.abi.Unpack("createWorkerpool", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackIsRegistered is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc3c5a547.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function isRegistered(address _entry) view returns(bool)
func (workerpoolRegistry *WorkerpoolRegistry) PackIsRegistered(entry common.Address) []byte {
	enc, err := workerpoolRegistry.abi.Pack("isRegistered", entry)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackIsRegistered is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc3c5a547.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function isRegistered(address _entry) view returns(bool)
func (workerpoolRegistry *WorkerpoolRegistry) TryPackIsRegistered(entry common.Address) ([]byte, error) {
	return workerpoolRegistry.abi.Pack("isRegistered", entry)
}

// UnpackIsRegistered is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc3c5a547.
//
// Solidity: function isRegistered(address _entry) view returns(bool)
func (workerpoolRegistry *WorkerpoolRegistry) UnpackIsRegistered(data []byte) (bool, error) {
	out, err := workerpoolRegistry.abi.Unpack("isRegistered", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackOwnerOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6352211e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function ownerOf(uint256 tokenId) view returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) PackOwnerOf(tokenId *big.Int) []byte {
	enc, err := workerpoolRegistry.abi.Pack("ownerOf", tokenId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOwnerOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6352211e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function ownerOf(uint256 tokenId) view returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) TryPackOwnerOf(tokenId *big.Int) ([]byte, error) {
	return workerpoolRegistry.abi.Pack("ownerOf", tokenId)
}

// UnpackOwnerOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6352211e.
//
// Solidity: function ownerOf(uint256 tokenId) view returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) UnpackOwnerOf(data []byte) (common.Address, error) {
	out, err := workerpoolRegistry.abi.Unpack("ownerOf", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPredictWorkerpool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x064a6c2a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function predictWorkerpool(address _workerpoolOwner, string _workerpoolDescription) view returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) PackPredictWorkerpool(workerpoolOwner common.Address, workerpoolDescription string) []byte {
	enc, err := workerpoolRegistry.abi.Pack("predictWorkerpool", workerpoolOwner, workerpoolDescription)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPredictWorkerpool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x064a6c2a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function predictWorkerpool(address _workerpoolOwner, string _workerpoolDescription) view returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) TryPackPredictWorkerpool(workerpoolOwner common.Address, workerpoolDescription string) ([]byte, error) {
	return workerpoolRegistry.abi.Pack("predictWorkerpool", workerpoolOwner, workerpoolDescription)
}

// UnpackPredictWorkerpool is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x064a6c2a.
//
// Solidity: function predictWorkerpool(address _workerpoolOwner, string _workerpoolDescription) view returns(address)
func (workerpoolRegistry *WorkerpoolRegistry) UnpackPredictWorkerpool(data []byte) (common.Address, error) {
	out, err := workerpoolRegistry.abi.Unpack("predictWorkerpool", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackTokenOfOwnerByIndex is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2f745c59.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function tokenOfOwnerByIndex(address owner, uint256 index) view returns(uint256)
func (workerpoolRegistry *WorkerpoolRegistry) PackTokenOfOwnerByIndex(owner common.Address, index *big.Int) []byte {
	enc, err := workerpoolRegistry.abi.Pack("tokenOfOwnerByIndex", owner, index)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTokenOfOwnerByIndex is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2f745c59.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function tokenOfOwnerByIndex(address owner, uint256 index) view returns(uint256)
func (workerpoolRegistry *WorkerpoolRegistry) TryPackTokenOfOwnerByIndex(owner common.Address, index *big.Int) ([]byte, error) {
	return workerpoolRegistry.abi.Pack("tokenOfOwnerByIndex", owner, index)
}

// UnpackTokenOfOwnerByIndex is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2f745c59.
//
// Solidity: function tokenOfOwnerByIndex(address owner, uint256 index) view returns(uint256)
func (workerpoolRegistry *WorkerpoolRegistry) UnpackTokenOfOwnerByIndex(data []byte) (*big.Int, error) {
	out, err := workerpoolRegistry.abi.Unpack("tokenOfOwnerByIndex", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}
