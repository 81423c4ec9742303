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

// AppRegistryMetaData contains all meta data concerning the AppRegistry contract.
var AppRegistryMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"}],\"name\":\"balanceOf\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"_appOwner\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"_appName\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"_appType\",\"type\":\"string\"},{\"internalType\":\"bytes\",\"name\":\"_appMultiaddr\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"_appChecksum\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"_appMREnclave\",\"type\":\"bytes\"}],\"name\":\"createApp\",\"outputs\":[{\"internalType\":\"contractApp\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"_entry\",\"type\":\"address\"}],\"name\":\"isRegistered\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"tokenId\",\"type\":\"uint256\"}],\"name\":\"ownerOf\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"_appOwner\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"_appName\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"_appType\",\"type\":\"string\"},{\"internalType\":\"bytes\",\"name\":\"_appMultiaddr\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"_appChecksum\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"_appMREnclave\",\"type\":\"bytes\"}],\"name\":\"predictApp\",\"outputs\":[{\"internalType\":\"contractApp\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"tokenOfOwnerByIndex\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "AppRegistry",
}

// AppRegistry is an auto generated Go binding around an Ethereum contract.
type AppRegistry struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *AppRegistry) GetABI() abi.ABI {
	return c.abi
}

// NewAppRegistry creates a new instance of AppRegistry.
func NewAppRegistry() *AppRegistry {
	parsed, err := AppRegistryMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &AppRegistry{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *AppRegistry) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackBalanceOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x70a08231.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (appRegistry *AppRegistry) PackBalanceOf(owner common.Address) []byte {
	enc, err := appRegistry.abi.Pack("balanceOf", owner)
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
func (appRegistry *AppRegistry) TryPackBalanceOf(owner common.Address) ([]byte, error) {
	return appRegistry.abi.Pack("balanceOf", owner)
}

// UnpackBalanceOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x70a08231.
//
// Solidity: function balanceOf(address owner) view returns(uint256)
func (appRegistry *AppRegistry) UnpackBalanceOf(data []byte) (*big.Int, error) {
	out, err := appRegistry.abi.Unpack("balanceOf", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCreateApp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3f7868ff.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function createApp(address _appOwner, string _appName, string _appType, bytes _appMultiaddr, bytes32 _appChecksum, bytes _appMREnclave) returns(address)
func (appRegistry *AppRegistry) PackCreateApp(appOwner common.Address, appName string, appType string, appMultiaddr []byte, appChecksum [32]byte, appMREnclave []byte) []byte {
	enc, err := appRegistry.abi.Pack("createApp", appOwner, appName, appType, appMultiaddr, appChecksum, appMREnclave)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCreateApp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x3f7868ff.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function createApp(address _appOwner, string _appName, string _appType, bytes _appMultiaddr, bytes32 _appChecksum, bytes _appMREnclave) returns(address)
func (appRegistry *AppRegistry) TryPackCreateApp(appOwner common.Address, appName string, appType string, appMultiaddr []byte, appChecksum [32]byte, appMREnclave []byte) ([]byte, error) {
	return appRegistry.abi.Pack("createApp", appOwner, appName, appType, appMultiaddr, appChecksum, appMREnclave)
}

// UnpackCreateApp is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x3f7868ff.
//
// Solidity: function createApp(address _appOwner, string _appName, string _appType, bytes _appMultiaddr, bytes32 _appChecksum, bytes _appMREnclave) returns(address)
func (appRegistry *AppRegistry) UnpackCreateApp(data []byte) (common.Address, error) {
	out, err := appRegistry.abi.Unpack("createApp", data)
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
func (appRegistry *AppRegistry) PackIsRegistered(entry common.Address) []byte {
	enc, err := appRegistry.abi.Pack("isRegistered", entry)
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
func (appRegistry *AppRegistry) TryPackIsRegistered(entry common.Address) ([]byte, error) {
	return appRegistry.abi.Pack("isRegistered", entry)
}

// UnpackIsRegistered is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc3c5a547.
//
// Solidity: function isRegistered(address _entry) view returns(bool)
func (appRegistry *AppRegistry) UnpackIsRegistered(data []byte) (bool, error) {
	out, err := appRegistry.abi.Unpack("isRegistered", data)
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
func (appRegistry *AppRegistry) PackOwnerOf(tokenId *big.Int) []byte {
	enc, err := appRegistry.abi.Pack("ownerOf", tokenId)
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
func (appRegistry *AppRegistry) TryPackOwnerOf(tokenId *big.Int) ([]byte, error) {
	return appRegistry.abi.Pack("ownerOf", tokenId)
}

// UnpackOwnerOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6352211e.
//
// Solidity: function ownerOf(uint256 tokenId) view returns(address)
func (appRegistry *AppRegistry) UnpackOwnerOf(data []byte) (common.Address, error) {
	out, err := appRegistry.abi.Unpack("ownerOf", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPredictApp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe92118ed.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function predictApp(address _appOwner, string _appName, string _appType, bytes _appMultiaddr, bytes32 _appChecksum, bytes _appMREnclave) view returns(address)
func (appRegistry *AppRegistry) PackPredictApp(appOwner common.Address, appName string, appType string, appMultiaddr []byte, appChecksum [32]byte, appMREnclave []byte) []byte {
	enc, err := appRegistry.abi.Pack("predictApp", appOwner, appName, appType, appMultiaddr, appChecksum, appMREnclave)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPredictApp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe92118ed.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function predictApp(address _appOwner, string _appName, string _appType, bytes _appMultiaddr, bytes32 _appChecksum, bytes _appMREnclave) view returns(address)
func (appRegistry *AppRegistry) TryPackPredictApp(appOwner common.Address, appName string, appType string, appMultiaddr []byte, appChecksum [32]byte, appMREnclave []byte) ([]byte, error) {
	return appRegistry.abi.Pack("predictApp", appOwner, appName, appType, appMultiaddr, appChecksum, appMREnclave)
}

// UnpackPredictApp is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe92118ed.
//
// Solidity: function predictApp(address _appOwner, string _appName, string _appType, bytes _appMultiaddr, bytes32 _appChecksum, bytes _appMREnclave) view returns(address)
func (appRegistry *AppRegistry) UnpackPredictApp(data []byte) (common.Address, error) {
	out, err := appRegistry.abi.Unpack("predictApp", data)
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
func (appRegistry *AppRegistry) PackTokenOfOwnerByIndex(owner common.Address, index *big.Int) []byte {
	enc, err := appRegistry.abi.Pack("tokenOfOwnerByIndex", owner, index)
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
func (appRegistry *AppRegistry) TryPackTokenOfOwnerByIndex(owner common.Address, index *big.Int) ([]byte, error) {
	return appRegistry.abi.Pack("tokenOfOwnerByIndex", owner, index)
}

// UnpackTokenOfOwnerByIndex is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2f745c59.
//
// Solidity: function tokenOfOwnerByIndex(address owner, uint256 index) view returns(uint256)
func (appRegistry *AppRegistry) UnpackTokenOfOwnerByIndex(data []byte) (*big.Int, error) {
	out, err := appRegistry.abi.Unpack("tokenOfOwnerByIndex", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}
