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

// WorkerpoolMetaData contains all meta data concerning the Workerpool contract.
var WorkerpoolMetaData = bind.MetaData{
	ABI: "[{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"oldWorkerStakeRatioPolicy\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"newWorkerStakeRatioPolicy\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"oldSchedulerRewardRatioPolicy\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"newSchedulerRewardRatioPolicy\",\"type\":\"uint256\"}],\"name\":\"PolicyUpdate\",\"type\":\"event\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"_newWorkerStakeRatioPolicy\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"_newSchedulerRewardRatioPolicy\",\"type\":\"uint256\"}],\"name\":\"changePolicy\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"m_schedulerRewardRatioPolicy\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"m_workerStakeRatioPolicy\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"m_workerpoolDescription\",\"outputs\":[{\"internalType\":\"string\",\"name\":\"\",\"type\":\"string\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"owner\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"registry\",\"outputs\":[{\"internalType\":\"contractIRegistry\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "Workerpool",
}

// Workerpool is an auto generated Go binding around an Ethereum contract.
type Workerpool struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Workerpool) GetABI() abi.ABI {
	return c.abi
}

// NewWorkerpool creates a new instance of Workerpool.
func NewWorkerpool() *Workerpool {
	parsed, err := WorkerpoolMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Workerpool{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Workerpool) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackChangePolicy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf199413c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function changePolicy(uint256 _newWorkerStakeRatioPolicy, uint256 _newSchedulerRewardRatioPolicy) returns()
func (workerpool *Workerpool) PackChangePolicy(newWorkerStakeRatioPolicy *big.Int, newSchedulerRewardRatioPolicy *big.Int) []byte {
	enc, err := workerpool.abi.Pack("changePolicy", newWorkerStakeRatioPolicy, newSchedulerRewardRatioPolicy)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackChangePolicy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf199413c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function changePolicy(uint256 _newWorkerStakeRatioPolicy, uint256 _newSchedulerRewardRatioPolicy) returns()
func (workerpool *Workerpool) TryPackChangePolicy(newWorkerStakeRatioPolicy *big.Int, newSchedulerRewardRatioPolicy *big.Int) ([]byte, error) {
	return workerpool.abi.Pack("changePolicy", newWorkerStakeRatioPolicy, newSchedulerRewardRatioPolicy)
}

// PackMSchedulerRewardRatioPolicy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x87639c68.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function m_schedulerRewardRatioPolicy() view returns(uint256)
func (workerpool *Workerpool) PackMSchedulerRewardRatioPolicy() []byte {
	enc, err := workerpool.abi.Pack("m_schedulerRewardRatioPolicy")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMSchedulerRewardRatioPolicy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x87639c68.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function m_schedulerRewardRatioPolicy() view returns(uint256)
func (workerpool *Workerpool) TryPackMSchedulerRewardRatioPolicy() ([]byte, error) {
	return workerpool.abi.Pack("m_schedulerRewardRatioPolicy")
}

// UnpackMSchedulerRewardRatioPolicy is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x87639c68.
//
// Solidity: function m_schedulerRewardRatioPolicy() view returns(uint256)
func (workerpool *Workerpool) UnpackMSchedulerRewardRatioPolicy(data []byte) (*big.Int, error) {
	out, err := workerpool.abi.Unpack("m_schedulerRewardRatioPolicy", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMWorkerStakeRatioPolicy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb55e75af.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function m_workerStakeRatioPolicy() view returns(uint256)
func (workerpool *Workerpool) PackMWorkerStakeRatioPolicy() []byte {
	enc, err := workerpool.abi.Pack("m_workerStakeRatioPolicy")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMWorkerStakeRatioPolicy is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb55e75af.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function m_workerStakeRatioPolicy() view returns(uint256)
func (workerpool *Workerpool) TryPackMWorkerStakeRatioPolicy() ([]byte, error) {
	return workerpool.abi.Pack("m_workerStakeRatioPolicy")
}

// UnpackMWorkerStakeRatioPolicy is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb55e75af.
//
// Solidity: function m_workerStakeRatioPolicy() view returns(uint256)
func (workerpool *Workerpool) UnpackMWorkerStakeRatioPolicy(data []byte) (*big.Int, error) {
	out, err := workerpool.abi.Unpack("m_workerStakeRatioPolicy", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackMWorkerpoolDescription is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x584feb3a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function m_workerpoolDescription() view returns(string)
func (workerpool *Workerpool) PackMWorkerpoolDescription() []byte {
	enc, err := workerpool.abi.Pack("m_workerpoolDescription")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMWorkerpoolDescription is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x584feb3a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function m_workerpoolDescription() view returns(string)
func (workerpool *Workerpool) TryPackMWorkerpoolDescription() ([]byte, error) {
	return workerpool.abi.Pack("m_workerpoolDescription")
}

// UnpackMWorkerpoolDescription is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x584feb3a.
//
// Solidity: function m_workerpoolDescription() view returns(string)
func (workerpool *Workerpool) UnpackMWorkerpoolDescription(data []byte) (string, error) {
	out, err := workerpool.abi.Unpack("m_workerpoolDescription", data)
	if err != nil {
		return *new(string), err
	}
	out0 := *abi.ConvertType(out[0], new(string)).(*string)
	return out0, nil
}

// PackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function owner() view returns(address)
func (workerpool *Workerpool) PackOwner() []byte {
	enc, err := workerpool.abi.Pack("owner")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOwner is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8da5cb5b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function owner() view returns(address)
func (workerpool *Workerpool) TryPackOwner() ([]byte, error) {
	return workerpool.abi.Pack("owner")
}

// UnpackOwner is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x8da5cb5b.
//
// Solidity: function owner() view returns(address)
func (workerpool *Workerpool) UnpackOwner(data []byte) (common.Address, error) {
	out, err := workerpool.abi.Unpack("owner", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackRegistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7b103999.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function registry() view returns(address)
func (workerpool *Workerpool) PackRegistry() []byte {
	enc, err := workerpool.abi.Pack("registry")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRegistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7b103999.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function registry() view returns(address)
func (workerpool *Workerpool) TryPackRegistry() ([]byte, error) {
	return workerpool.abi.Pack("registry")
}

// UnpackRegistry is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7b103999.
//
// Solidity: function registry() view returns(address)
func (workerpool *Workerpool) UnpackRegistry(data []byte) (common.Address, error) {
	out, err := workerpool.abi.Unpack("registry", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// WorkerpoolPolicyUpdate represents a PolicyUpdate event raised by the Workerpool contract.
type WorkerpoolPolicyUpdate struct {
	OldWorkerStakeRatioPolicy     *big.Int
	NewWorkerStakeRatioPolicy     *big.Int
	OldSchedulerRewardRatioPolicy *big.Int
	NewSchedulerRewardRatioPolicy *big.Int
	Raw                           *types.Log // Blockchain specific contextual infos
}

const WorkerpoolPolicyUpdateEventName = "PolicyUpdate"

// ContractEventName returns the user-defined event name.
func (WorkerpoolPolicyUpdate) ContractEventName() string {
	return WorkerpoolPolicyUpdateEventName
}

// UnpackPolicyUpdateEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event PolicyUpdate(uint256 oldWorkerStakeRatioPolicy, uint256 newWorkerStakeRatioPolicy, uint256 oldSchedulerRewardRatioPolicy, uint256 newSchedulerRewardRatioPolicy)
func (workerpool *Workerpool) UnpackPolicyUpdateEvent(log *types.Log) (*WorkerpoolPolicyUpdate, error) {
	event := "PolicyUpdate"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != workerpool.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(WorkerpoolPolicyUpdate)
	if len(log.Data) > 0 {
		if err := workerpool.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range workerpool.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}
