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

// IexecLibCoreV5Account is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5Account struct {
	Stake  *big.Int
	Locked *big.Int
}

// IexecLibCoreV5AppInfo is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5AppInfo struct {
	Owner         common.Address
	MAppName      string
	MAppType      string
	MAppMultiaddr []byte
	MAppChecksum  [32]byte
	MAppMREnclave []byte
}

// IexecLibCoreV5Category is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5Category struct {
	Name             string
	Description      string
	WorkClockTimeRef *big.Int
}

// IexecLibCoreV5Contribution is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5Contribution struct {
	Status           uint8
	ResultHash       [32]byte
	ResultSeal       [32]byte
	EnclaveChallenge common.Address
	Weight           *big.Int
}

// IexecLibCoreV5DatasetInfo is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5DatasetInfo struct {
	Owner             common.Address
	MDatasetName      string
	MDatasetMultiaddr []byte
	MDatasetChecksum  [32]byte
}

// IexecLibCoreV5Deal is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5Deal struct {
	App                  IexecLibCoreV5Resource
	Dataset              IexecLibCoreV5Resource
	Workerpool           IexecLibCoreV5Resource
	Trust                *big.Int
	Category             *big.Int
	Tag                  [32]byte
	Requester            common.Address
	Beneficiary          common.Address
	Callback             common.Address
	Params               string
	StartTime            *big.Int
	BotFirst             *big.Int
	BotSize              *big.Int
	WorkerStake          *big.Int
	SchedulerRewardRatio *big.Int
	Sponsor              common.Address
}

// IexecLibCoreV5Resource is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5Resource struct {
	Pointer common.Address
	Owner   common.Address
	Price   *big.Int
}

// IexecLibCoreV5Task is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5Task struct {
	Status               uint8
	Dealid               [32]byte
	Idx                  *big.Int
	Timeref              *big.Int
	ContributionDeadline *big.Int
	RevealDeadline       *big.Int
	FinalDeadline        *big.Int
	ConsensusValue       [32]byte
	RevealCounter        *big.Int
	WinnerCounter        *big.Int
	Contributors         []common.Address
	ResultDigest         [32]byte
	Results              []byte
	ResultsTimestamp     *big.Int
	ResultsCallback      []byte
}

// IexecLibCoreV5WorkerpoolInfo is an auto generated low-level Go binding around an user-defined struct.
type IexecLibCoreV5WorkerpoolInfo struct {
	Owner                       common.Address
	MWorkerpoolDescription      string
	MWorkerStakeRatioPolicy     *big.Int
	MSchedulerRewardRatioPolicy *big.Int
}

// IexecLibOrdersV5AppOrder is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5AppOrder struct {
	App                common.Address
	Appprice           *big.Int
	Volume             *big.Int
	Tag                [32]byte
	Datasetrestrict    common.Address
	Workerpoolrestrict common.Address
	Requesterrestrict  common.Address
	Salt               [32]byte
	Sign               []byte
}

// IexecLibOrdersV5AppOrderOperation is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5AppOrderOperation struct {
	Order     IexecLibOrdersV5AppOrder
	Operation uint8
	Sign      []byte
}

// IexecLibOrdersV5DatasetOrder is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5DatasetOrder struct {
	Dataset            common.Address
	Datasetprice       *big.Int
	Volume             *big.Int
	Tag                [32]byte
	Apprestrict        common.Address
	Workerpoolrestrict common.Address
	Requesterrestrict  common.Address
	Salt               [32]byte
	Sign               []byte
}

// IexecLibOrdersV5EIP712Domain is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5EIP712Domain struct {
	Name              string
	Version           string
	ChainId           *big.Int
	VerifyingContract common.Address
}

// IexecLibOrdersV5RequestOrder is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5RequestOrder struct {
	App                common.Address
	Appmaxprice        *big.Int
	Dataset            common.Address
	Datasetmaxprice    *big.Int
	Workerpool         common.Address
	Workerpoolmaxprice *big.Int
	Requester          common.Address
	Volume             *big.Int
	Tag                [32]byte
	Category           *big.Int
	Trust              *big.Int
	Beneficiary        common.Address
	Callback           common.Address
	Params             string
	Salt               [32]byte
	Sign               []byte
}

// IexecLibOrdersV5RequestOrderOperation is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5RequestOrderOperation struct {
	Order     IexecLibOrdersV5RequestOrder
	Operation uint8
	Sign      []byte
}

// IexecLibOrdersV5WorkerpoolOrder is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5WorkerpoolOrder struct {
	Workerpool        common.Address
	Workerpoolprice   *big.Int
	Volume            *big.Int
	Tag               [32]byte
	Category          *big.Int
	Trust             *big.Int
	Apprestrict       common.Address
	Datasetrestrict   common.Address
	Requesterrestrict common.Address
	Salt              [32]byte
	Sign              []byte
}

// IexecLibOrdersV5WorkerpoolOrderOperation is an auto generated low-level Go binding around an user-defined struct.
type IexecLibOrdersV5WorkerpoolOrderOperation struct {
	Order     IexecLibOrdersV5WorkerpoolOrder
	Operation uint8
	Sign      []byte
}

// HubMetaData contains all meta data concerning the Hub contract.
var HubMetaData = bind.MetaData{
	ABI: "[{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"}],\"name\":\"AccurateContribution\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"appHash\",\"type\":\"bytes32\"}],\"name\":\"ClosedAppOrder\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"requestHash\",\"type\":\"bytes32\"}],\"name\":\"ClosedRequestOrder\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"workerpoolHash\",\"type\":\"bytes32\"}],\"name\":\"ClosedWorkerpoolOrder\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"}],\"name\":\"FaultyContribution\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"}],\"name\":\"Lock\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"dealid\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"appHash\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"datasetHash\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"workerpoolHash\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"requestHash\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"}],\"name\":\"OrdersMatched\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"ref\",\"type\":\"bytes32\"}],\"name\":\"Reward\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"dealid\",\"type\":\"bytes32\"}],\"name\":\"SchedulerNotice\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"ref\",\"type\":\"bytes32\"}],\"name\":\"Seize\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"appHash\",\"type\":\"bytes32\"}],\"name\":\"SignedAppOrder\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"requestHash\",\"type\":\"bytes32\"}],\"name\":\"SignedRequestOrder\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"workerpoolHash\",\"type\":\"bytes32\"}],\"name\":\"SignedWorkerpoolOrder\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"}],\"name\":\"TaskClaimed\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"consensus\",\"type\":\"bytes32\"}],\"name\":\"TaskConsensus\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"hash\",\"type\":\"bytes32\"}],\"name\":\"TaskContribute\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"bytes\",\"name\":\"results\",\"type\":\"bytes\"}],\"name\":\"TaskFinalize\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"}],\"name\":\"TaskInitialize\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"}],\"name\":\"TaskReopen\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"taskid\",\"type\":\"bytes32\"},{\"indexed\":true,\"internalType\":\"address\",\"name\":\"worker\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"bytes32\",\"name\":\"digest\",\"type\":\"bytes32\"}],\"name\":\"TaskReveal\",\"type\":\"event\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":false,\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"indexed\":false,\"internalType\":\"uint256\",\"name\":\"amount\",\"type\":\"uint256\"}],\"name\":\"Unlock\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"appregistry\",\"outputs\":[{\"internalType\":\"contractIRegistry\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"callbackgas\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"taskId\",\"type\":\"bytes32\"}],\"name\":\"claim\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32[]\",\"name\":\"taskIds\",\"type\":\"bytes32[]\"}],\"name\":\"claimArray\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"app\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"appprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"datasetrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"workerpoolrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.AppOrder\",\"name\":\"appOrder\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"dataset\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"datasetprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"apprestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"workerpoolrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.DatasetOrder\",\"name\":\"datasetOrder\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"workerpoolprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"category\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"trust\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"apprestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"datasetrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.WorkerpoolOrder\",\"name\":\"workerpoolOrder\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"app\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"appmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"dataset\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"datasetmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"workerpoolmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"requester\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"category\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"trust\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"beneficiary\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"callback\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"params\",\"type\":\"string\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.RequestOrder\",\"name\":\"requestOrder\",\"type\":\"tuple\"}],\"name\":\"computeDealVolume\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"taskId\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"resultHash\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"resultSeal\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"enclaveChallenge\",\"type\":\"address\"},{\"internalType\":\"bytes\",\"name\":\"enclaveSign\",\"type\":\"bytes\"},{\"internalType\":\"bytes\",\"name\":\"authorizationSign\",\"type\":\"bytes\"}],\"name\":\"contribute\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"taskId\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"resultDigest\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"results\",\"type\":\"bytes\"},{\"internalType\":\"bytes\",\"name\":\"resultsCallback\",\"type\":\"bytes\"},{\"internalType\":\"address\",\"name\":\"enclaveChallenge\",\"type\":\"address\"},{\"internalType\":\"bytes\",\"name\":\"enclaveSign\",\"type\":\"bytes\"},{\"internalType\":\"bytes\",\"name\":\"authorizationSign\",\"type\":\"bytes\"}],\"name\":\"contributeAndFinalize\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"contribution_deadline_ratio\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"countCategory\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"datasetregistry\",\"outputs\":[{\"internalType\":\"contractIRegistry\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"name\":\"deposit\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"name\":\"depositFor\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"domain\",\"outputs\":[{\"components\":[{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"version\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"chainId\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"verifyingContract\",\"type\":\"address\"}],\"internalType\":\"structIexecLibOrders_v5.EIP712Domain\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"eip712domain_separator\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"final_deadline_ratio\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"taskId\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"results\",\"type\":\"bytes\"},{\"internalType\":\"bytes\",\"name\":\"resultsCallback\",\"type\":\"bytes\"}],\"name\":\"finalize\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"dealId\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"initialize\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32[]\",\"name\":\"dealIds\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint256[]\",\"name\":\"indexes\",\"type\":\"uint256[]\"}],\"name\":\"initializeAndClaimArray\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32[]\",\"name\":\"dealIds\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint256[]\",\"name\":\"indexes\",\"type\":\"uint256[]\"}],\"name\":\"initializeArray\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"kitty_address\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"kitty_min\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"kitty_ratio\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"app\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"appprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"datasetrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"workerpoolrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.AppOrder\",\"name\":\"order\",\"type\":\"tuple\"},{\"internalType\":\"enumIexecLibOrders_v5.OrderOperationEnum\",\"name\":\"operation\",\"type\":\"uint8\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.AppOrderOperation\",\"name\":\"\",\"type\":\"tuple\"}],\"name\":\"manageAppOrder\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"app\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"appmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"dataset\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"datasetmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"workerpoolmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"requester\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"category\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"trust\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"beneficiary\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"callback\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"params\",\"type\":\"string\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.RequestOrder\",\"name\":\"order\",\"type\":\"tuple\"},{\"internalType\":\"enumIexecLibOrders_v5.OrderOperationEnum\",\"name\":\"operation\",\"type\":\"uint8\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.RequestOrderOperation\",\"name\":\"\",\"type\":\"tuple\"}],\"name\":\"manageRequestOrder\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"workerpoolprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"category\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"trust\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"apprestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"datasetrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.WorkerpoolOrder\",\"name\":\"order\",\"type\":\"tuple\"},{\"internalType\":\"enumIexecLibOrders_v5.OrderOperationEnum\",\"name\":\"operation\",\"type\":\"uint8\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.WorkerpoolOrderOperation\",\"name\":\"\",\"type\":\"tuple\"}],\"name\":\"manageWorkerpoolOrder\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"app\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"appprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"datasetrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"workerpoolrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.AppOrder\",\"name\":\"\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"dataset\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"datasetprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"apprestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"workerpoolrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.DatasetOrder\",\"name\":\"\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"workerpoolprice\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"category\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"trust\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"apprestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"datasetrestrict\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"requesterrestrict\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.WorkerpoolOrder\",\"name\":\"\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"app\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"appmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"dataset\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"datasetmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"workerpoolmaxprice\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"requester\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"volume\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"category\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"trust\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"beneficiary\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"callback\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"params\",\"type\":\"string\"},{\"internalType\":\"bytes32\",\"name\":\"salt\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"sign\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibOrders_v5.RequestOrder\",\"name\":\"\",\"type\":\"tuple\"}],\"name\":\"matchOrders\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"taskId\",\"type\":\"bytes32\"}],\"name\":\"reopen\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"id\",\"type\":\"bytes32\"}],\"name\":\"resultFor\",\"outputs\":[{\"internalType\":\"bytes\",\"name\":\"\",\"type\":\"bytes\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"taskId\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"resultDigest\",\"type\":\"bytes32\"}],\"name\":\"reveal\",\"outputs\":[],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"reveal_deadline_ratio\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"teebroker\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"token\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"},{\"internalType\":\"bytes32\",\"name\":\"\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"\",\"type\":\"bytes\"}],\"name\":\"verifyPresignatureOrSignature\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"account\",\"type\":\"address\"}],\"name\":\"viewAccount\",\"outputs\":[{\"components\":[{\"internalType\":\"uint256\",\"name\":\"stake\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"locked\",\"type\":\"uint256\"}],\"internalType\":\"structIexecLibCore_v5.Account\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"app\",\"type\":\"address\"}],\"name\":\"viewApp\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"m_appName\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"m_appType\",\"type\":\"string\"},{\"internalType\":\"bytes\",\"name\":\"m_appMultiaddr\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"m_appChecksum\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"m_appMREnclave\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibCore_v5.AppInfo\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"_catid\",\"type\":\"uint256\"}],\"name\":\"viewCategory\",\"outputs\":[{\"components\":[{\"internalType\":\"string\",\"name\":\"name\",\"type\":\"string\"},{\"internalType\":\"string\",\"name\":\"description\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"workClockTimeRef\",\"type\":\"uint256\"}],\"internalType\":\"structIexecLibCore_v5.Category\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"_id\",\"type\":\"bytes32\"}],\"name\":\"viewConsumed\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"consumed\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"_taskid\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"_worker\",\"type\":\"address\"}],\"name\":\"viewContribution\",\"outputs\":[{\"components\":[{\"internalType\":\"enumIexecLibCore_v5.ContributionStatusEnum\",\"name\":\"status\",\"type\":\"uint8\"},{\"internalType\":\"bytes32\",\"name\":\"resultHash\",\"type\":\"bytes32\"},{\"internalType\":\"bytes32\",\"name\":\"resultSeal\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"enclaveChallenge\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"weight\",\"type\":\"uint256\"}],\"internalType\":\"structIexecLibCore_v5.Contribution\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"dataset\",\"type\":\"address\"}],\"name\":\"viewDataset\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"m_datasetName\",\"type\":\"string\"},{\"internalType\":\"bytes\",\"name\":\"m_datasetMultiaddr\",\"type\":\"bytes\"},{\"internalType\":\"bytes32\",\"name\":\"m_datasetChecksum\",\"type\":\"bytes32\"}],\"internalType\":\"structIexecLibCore_v5.DatasetInfo\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"id\",\"type\":\"bytes32\"}],\"name\":\"viewDeal\",\"outputs\":[{\"components\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"pointer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"price\",\"type\":\"uint256\"}],\"internalType\":\"structIexecLibCore_v5.Resource\",\"name\":\"app\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"pointer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"price\",\"type\":\"uint256\"}],\"internalType\":\"structIexecLibCore_v5.Resource\",\"name\":\"dataset\",\"type\":\"tuple\"},{\"components\":[{\"internalType\":\"address\",\"name\":\"pointer\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"uint256\",\"name\":\"price\",\"type\":\"uint256\"}],\"internalType\":\"structIexecLibCore_v5.Resource\",\"name\":\"workerpool\",\"type\":\"tuple\"},{\"internalType\":\"uint256\",\"name\":\"trust\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"category\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"tag\",\"type\":\"bytes32\"},{\"internalType\":\"address\",\"name\":\"requester\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"beneficiary\",\"type\":\"address\"},{\"internalType\":\"address\",\"name\":\"callback\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"params\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"startTime\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"botFirst\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"botSize\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"workerStake\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"schedulerRewardRatio\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"sponsor\",\"type\":\"address\"}],\"internalType\":\"structIexecLibCore_v5.Deal\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"_id\",\"type\":\"bytes32\"}],\"name\":\"viewPresigned\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"signer\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"_worker\",\"type\":\"address\"}],\"name\":\"viewScore\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"id\",\"type\":\"bytes32\"}],\"name\":\"viewTask\",\"outputs\":[{\"components\":[{\"internalType\":\"enumIexecLibCore_v5.TaskStatusEnum\",\"name\":\"status\",\"type\":\"uint8\"},{\"internalType\":\"bytes32\",\"name\":\"dealid\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"idx\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"timeref\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"contributionDeadline\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"revealDeadline\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"finalDeadline\",\"type\":\"uint256\"},{\"internalType\":\"bytes32\",\"name\":\"consensusValue\",\"type\":\"bytes32\"},{\"internalType\":\"uint256\",\"name\":\"revealCounter\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"winnerCounter\",\"type\":\"uint256\"},{\"internalType\":\"address[]\",\"name\":\"contributors\",\"type\":\"address[]\"},{\"internalType\":\"bytes32\",\"name\":\"resultDigest\",\"type\":\"bytes32\"},{\"internalType\":\"bytes\",\"name\":\"results\",\"type\":\"bytes\"},{\"internalType\":\"uint256\",\"name\":\"resultsTimestamp\",\"type\":\"uint256\"},{\"internalType\":\"bytes\",\"name\":\"resultsCallback\",\"type\":\"bytes\"}],\"internalType\":\"structIexecLibCore_v5.Task\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"address\",\"name\":\"workerpool\",\"type\":\"address\"}],\"name\":\"viewWorkerpool\",\"outputs\":[{\"components\":[{\"internalType\":\"address\",\"name\":\"owner\",\"type\":\"address\"},{\"internalType\":\"string\",\"name\":\"m_workerpoolDescription\",\"type\":\"string\"},{\"internalType\":\"uint256\",\"name\":\"m_workerStakeRatioPolicy\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"m_schedulerRewardRatioPolicy\",\"type\":\"uint256\"}],\"internalType\":\"structIexecLibCore_v5.WorkerpoolInfo\",\"name\":\"\",\"type\":\"tuple\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"name\":\"withdraw\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"},{\"internalType\":\"address\",\"name\":\"\",\"type\":\"address\"}],\"name\":\"withdrawTo\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"\",\"type\":\"bool\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"workerpool_stake_ratio\",\"outputs\":[{\"internalType\":\"uint256\",\"name\":\"\",\"type\":\"uint256\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[],\"name\":\"workerpoolregistry\",\"outputs\":[{\"internalType\":\"contractIRegistry\",\"name\":\"\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "Hub",
}

// Hub is an auto generated Go binding around an Ethereum contract.
type Hub struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *Hub) GetABI() abi.ABI {
	return c.abi
}

// NewHub creates a new instance of Hub.
func NewHub() *Hub {
	parsed, err := HubMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &Hub{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *Hub) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackAppregistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x45b637a9.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function appregistry() view returns(address)
func (hub *Hub) PackAppregistry() []byte {
	enc, err := hub.abi.Pack("appregistry")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAppregistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x45b637a9.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function appregistry() view returns(address)
func (hub *Hub) TryPackAppregistry() ([]byte, error) {
	return hub.abi.Pack("appregistry")
}

// UnpackAppregistry is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x45b637a9.
//
// Solidity: function appregistry() view returns(address)
func (hub *Hub) UnpackAppregistry(data []byte) (common.Address, error) {
	out, err := hub.abi.Unpack("appregistry", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackCallbackgas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe63ec07d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function callbackgas() view returns(uint256)
func (hub *Hub) PackCallbackgas() []byte {
	enc, err := hub.abi.Pack("callbackgas")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCallbackgas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe63ec07d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function callbackgas() view returns(uint256)
func (hub *Hub) TryPackCallbackgas() ([]byte, error) {
	return hub.abi.Pack("callbackgas")
}

// UnpackCallbackgas is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe63ec07d.
//
// Solidity: function callbackgas() view returns(uint256)
func (hub *Hub) UnpackCallbackgas(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("callbackgas", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbd66528a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claim(bytes32 taskId) returns()
func (hub *Hub) PackClaim(taskId [32]byte) []byte {
	enc, err := hub.abi.Pack("claim", taskId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaim is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbd66528a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claim(bytes32 taskId) returns()
func (hub *Hub) TryPackClaim(taskId [32]byte) ([]byte, error) {
	return hub.abi.Pack("claim", taskId)
}

// PackClaimArray is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfa055d7e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function claimArray(bytes32[] taskIds) returns(bool)
func (hub *Hub) PackClaimArray(taskIds [][32]byte) []byte {
	enc, err := hub.abi.Pack("claimArray", taskIds)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackClaimArray is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfa055d7e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function claimArray(bytes32[] taskIds) returns(bool)
func (hub *Hub) TryPackClaimArray(taskIds [][32]byte) ([]byte, error) {
	return hub.abi.Pack("claimArray", taskIds)
}

// UnpackClaimArray is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfa055d7e.
//
// Solidity: function claimArray(bytes32[] taskIds) returns(bool)
func (hub *Hub) UnpackClaimArray(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("claimArray", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackComputeDealVolume is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x66517ca6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function computeDealVolume((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) appOrder, (address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) datasetOrder, (address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes) workerpoolOrder, (address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes) requestOrder) view returns(uint256)
func (hub *Hub) PackComputeDealVolume(appOrder IexecLibOrdersV5AppOrder, datasetOrder IexecLibOrdersV5DatasetOrder, workerpoolOrder IexecLibOrdersV5WorkerpoolOrder, requestOrder IexecLibOrdersV5RequestOrder) []byte {
	enc, err := hub.abi.Pack("computeDealVolume", appOrder, datasetOrder, workerpoolOrder, requestOrder)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackComputeDealVolume is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x66517ca6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function computeDealVolume((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) appOrder, (address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) datasetOrder, (address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes) workerpoolOrder, (address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes) requestOrder) view returns(uint256)
func (hub *Hub) TryPackComputeDealVolume(appOrder IexecLibOrdersV5AppOrder, datasetOrder IexecLibOrdersV5DatasetOrder, workerpoolOrder IexecLibOrdersV5WorkerpoolOrder, requestOrder IexecLibOrdersV5RequestOrder) ([]byte, error) {
	return hub.abi.Pack("computeDealVolume", appOrder, datasetOrder, workerpoolOrder, requestOrder)
}

// UnpackComputeDealVolume is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x66517ca6.
//
// Solidity: function computeDealVolume((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) appOrder, (address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) datasetOrder, (address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes) workerpoolOrder, (address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes) requestOrder) view returns(uint256)
func (hub *Hub) UnpackComputeDealVolume(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("computeDealVolume", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackContribute is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x34623484.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function contribute(bytes32 taskId, bytes32 resultHash, bytes32 resultSeal, address enclaveChallenge, bytes enclaveSign, bytes authorizationSign) returns()
func (hub *Hub) PackContribute(taskId [32]byte, resultHash [32]byte, resultSeal [32]byte, enclaveChallenge common.Address, enclaveSign []byte, authorizationSign []byte) []byte {
	enc, err := hub.abi.Pack("contribute", taskId, resultHash, resultSeal, enclaveChallenge, enclaveSign, authorizationSign)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackContribute is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x34623484.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function contribute(bytes32 taskId, bytes32 resultHash, bytes32 resultSeal, address enclaveChallenge, bytes enclaveSign, bytes authorizationSign) returns()
func (hub *Hub) TryPackContribute(taskId [32]byte, resultHash [32]byte, resultSeal [32]byte, enclaveChallenge common.Address, enclaveSign []byte, authorizationSign []byte) ([]byte, error) {
	return hub.abi.Pack("contribute", taskId, resultHash, resultSeal, enclaveChallenge, enclaveSign, authorizationSign)
}

// PackContributeAndFinalize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5facd761.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function contributeAndFinalize(bytes32 taskId, bytes32 resultDigest, bytes results, bytes resultsCallback, address enclaveChallenge, bytes enclaveSign, bytes authorizationSign) returns()
func (hub *Hub) PackContributeAndFinalize(taskId [32]byte, resultDigest [32]byte, results []byte, resultsCallback []byte, enclaveChallenge common.Address, enclaveSign []byte, authorizationSign []byte) []byte {
	enc, err := hub.abi.Pack("contributeAndFinalize", taskId, resultDigest, results, resultsCallback, enclaveChallenge, enclaveSign, authorizationSign)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackContributeAndFinalize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5facd761.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function contributeAndFinalize(bytes32 taskId, bytes32 resultDigest, bytes results, bytes resultsCallback, address enclaveChallenge, bytes enclaveSign, bytes authorizationSign) returns()
func (hub *Hub) TryPackContributeAndFinalize(taskId [32]byte, resultDigest [32]byte, results []byte, resultsCallback []byte, enclaveChallenge common.Address, enclaveSign []byte, authorizationSign []byte) ([]byte, error) {
	return hub.abi.Pack("contributeAndFinalize", taskId, resultDigest, results, resultsCallback, enclaveChallenge, enclaveSign, authorizationSign)
}

// PackContributionDeadlineRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74ed5244.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function contribution_deadline_ratio() view returns(uint256)
func (hub *Hub) PackContributionDeadlineRatio() []byte {
	enc, err := hub.abi.Pack("contribution_deadline_ratio")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackContributionDeadlineRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74ed5244.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function contribution_deadline_ratio() view returns(uint256)
func (hub *Hub) TryPackContributionDeadlineRatio() ([]byte, error) {
	return hub.abi.Pack("contribution_deadline_ratio")
}

// UnpackContributionDeadlineRatio is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x74ed5244.
//
// Solidity: function contribution_deadline_ratio() view returns(uint256)
func (hub *Hub) UnpackContributionDeadlineRatio(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("contribution_deadline_ratio", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCountCategory is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc140996f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function countCategory() view returns(uint256)
func (hub *Hub) PackCountCategory() []byte {
	enc, err := hub.abi.Pack("countCategory")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCountCategory is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc140996f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function countCategory() view returns(uint256)
func (hub *Hub) TryPackCountCategory() ([]byte, error) {
	return hub.abi.Pack("countCategory")
}

// UnpackCountCategory is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc140996f.
//
// Solidity: function countCategory() view returns(uint256)
func (hub *Hub) UnpackCountCategory(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("countCategory", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackDatasetregistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1b11d2c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function datasetregistry() view returns(address)
func (hub *Hub) PackDatasetregistry() []byte {
	enc, err := hub.abi.Pack("datasetregistry")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDatasetregistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb1b11d2c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function datasetregistry() view returns(address)
func (hub *Hub) TryPackDatasetregistry() ([]byte, error) {
	return hub.abi.Pack("datasetregistry")
}

// UnpackDatasetregistry is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb1b11d2c.
//
// Solidity: function datasetregistry() view returns(address)
func (hub *Hub) UnpackDatasetregistry(data []byte) (common.Address, error) {
	out, err := hub.abi.Unpack("datasetregistry", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6b55f25.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function deposit(uint256 ) returns(bool)
func (hub *Hub) PackDeposit(arg0 *big.Int) []byte {
	enc, err := hub.abi.Pack("deposit", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDeposit is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb6b55f25.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function deposit(uint256 ) returns(bool)
func (hub *Hub) TryPackDeposit(arg0 *big.Int) ([]byte, error) {
	return hub.abi.Pack("deposit", arg0)
}

// UnpackDeposit is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb6b55f25.
//
// Solidity: function deposit(uint256 ) returns(bool)
func (hub *Hub) UnpackDeposit(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("deposit", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackDepositFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x36efd16f.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function depositFor(uint256 , address ) returns(bool)
func (hub *Hub) PackDepositFor(arg0 *big.Int, arg1 common.Address) []byte {
	enc, err := hub.abi.Pack("depositFor", arg0, arg1)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDepositFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x36efd16f.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function depositFor(uint256 , address ) returns(bool)
func (hub *Hub) TryPackDepositFor(arg0 *big.Int, arg1 common.Address) ([]byte, error) {
	return hub.abi.Pack("depositFor", arg0, arg1)
}

// UnpackDepositFor is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x36efd16f.
//
// Solidity: function depositFor(uint256 , address ) returns(bool)
func (hub *Hub) UnpackDepositFor(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("depositFor", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackDomain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc2fb26a6.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function domain() view returns((string,string,uint256,address))
func (hub *Hub) PackDomain() []byte {
	enc, err := hub.abi.Pack("domain")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDomain is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc2fb26a6.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function domain() view returns((string,string,uint256,address))
func (hub *Hub) TryPackDomain() ([]byte, error) {
	return hub.abi.Pack("domain")
}

// UnpackDomain is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc2fb26a6.
//
// Solidity: function domain() view returns((string,string,uint256,address))
func (hub *Hub) UnpackDomain(data []byte) (IexecLibOrdersV5EIP712Domain, error) {
	out, err := hub.abi.Unpack("domain", data)
	if err != nil {
		return *new(IexecLibOrdersV5EIP712Domain), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibOrdersV5EIP712Domain)).(*IexecLibOrdersV5EIP712Domain)
	return out0, nil
}

// PackEip712domainSeparator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9910fd72.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function eip712domain_separator() view returns(bytes32)
func (hub *Hub) PackEip712domainSeparator() []byte {
	enc, err := hub.abi.Pack("eip712domain_separator")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackEip712domainSeparator is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x9910fd72.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function eip712domain_separator() view returns(bytes32)
func (hub *Hub) TryPackEip712domainSeparator() ([]byte, error) {
	return hub.abi.Pack("eip712domain_separator")
}

// UnpackEip712domainSeparator is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x9910fd72.
//
// Solidity: function eip712domain_separator() view returns(bytes32)
func (hub *Hub) UnpackEip712domainSeparator(data []byte) ([32]byte, error) {
	out, err := hub.abi.Unpack("eip712domain_separator", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackFinalDeadlineRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdb8aaa26.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function final_deadline_ratio() view returns(uint256)
func (hub *Hub) PackFinalDeadlineRatio() []byte {
	enc, err := hub.abi.Pack("final_deadline_ratio")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackFinalDeadlineRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdb8aaa26.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function final_deadline_ratio() view returns(uint256)
func (hub *Hub) TryPackFinalDeadlineRatio() ([]byte, error) {
	return hub.abi.Pack("final_deadline_ratio")
}

// UnpackFinalDeadlineRatio is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xdb8aaa26.
//
// Solidity: function final_deadline_ratio() view returns(uint256)
func (hub *Hub) UnpackFinalDeadlineRatio(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("final_deadline_ratio", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackFinalize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8fc375e5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function finalize(bytes32 taskId, bytes results, bytes resultsCallback) returns()
func (hub *Hub) PackFinalize(taskId [32]byte, results []byte, resultsCallback []byte) []byte {
	enc, err := hub.abi.Pack("finalize", taskId, results, resultsCallback)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackFinalize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8fc375e5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function finalize(bytes32 taskId, bytes results, bytes resultsCallback) returns()
func (hub *Hub) TryPackFinalize(taskId [32]byte, results []byte, resultsCallback []byte) ([]byte, error) {
	return hub.abi.Pack("finalize", taskId, results, resultsCallback)
}

// PackInitialize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5b36c66b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function initialize(bytes32 dealId, uint256 index) returns(bytes32)
func (hub *Hub) PackInitialize(dealId [32]byte, index *big.Int) []byte {
	enc, err := hub.abi.Pack("initialize", dealId, index)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackInitialize is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5b36c66b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function initialize(bytes32 dealId, uint256 index) returns(bytes32)
func (hub *Hub) TryPackInitialize(dealId [32]byte, index *big.Int) ([]byte, error) {
	return hub.abi.Pack("initialize", dealId, index)
}

// UnpackInitialize is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5b36c66b.
//
// Solidity: function initialize(bytes32 dealId, uint256 index) returns(bytes32)
func (hub *Hub) UnpackInitialize(data []byte) ([32]byte, error) {
	out, err := hub.abi.Unpack("initialize", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackInitializeAndClaimArray is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf722cb32.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function initializeAndClaimArray(bytes32[] dealIds, uint256[] indexes) returns(bool)
func (hub *Hub) PackInitializeAndClaimArray(dealIds [][32]byte, indexes []*big.Int) []byte {
	enc, err := hub.abi.Pack("initializeAndClaimArray", dealIds, indexes)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackInitializeAndClaimArray is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf722cb32.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function initializeAndClaimArray(bytes32[] dealIds, uint256[] indexes) returns(bool)
func (hub *Hub) TryPackInitializeAndClaimArray(dealIds [][32]byte, indexes []*big.Int) ([]byte, error) {
	return hub.abi.Pack("initializeAndClaimArray", dealIds, indexes)
}

// UnpackInitializeAndClaimArray is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xf722cb32.
//
// Solidity: function initializeAndClaimArray(bytes32[] dealIds, uint256[] indexes) returns(bool)
func (hub *Hub) UnpackInitializeAndClaimArray(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("initializeAndClaimArray", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackInitializeArray is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb504681d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function initializeArray(bytes32[] dealIds, uint256[] indexes) returns(bool)
func (hub *Hub) PackInitializeArray(dealIds [][32]byte, indexes []*big.Int) []byte {
	enc, err := hub.abi.Pack("initializeArray", dealIds, indexes)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackInitializeArray is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb504681d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function initializeArray(bytes32[] dealIds, uint256[] indexes) returns(bool)
func (hub *Hub) TryPackInitializeArray(dealIds [][32]byte, indexes []*big.Int) ([]byte, error) {
	return hub.abi.Pack("initializeArray", dealIds, indexes)
}

// UnpackInitializeArray is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb504681d.
//
// Solidity: function initializeArray(bytes32[] dealIds, uint256[] indexes) returns(bool)
func (hub *Hub) UnpackInitializeArray(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("initializeArray", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackKittyAddress is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa47e7f80.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function kitty_address() view returns(address)
func (hub *Hub) PackKittyAddress() []byte {
	enc, err := hub.abi.Pack("kitty_address")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackKittyAddress is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa47e7f80.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function kitty_address() view returns(address)
func (hub *Hub) TryPackKittyAddress() ([]byte, error) {
	return hub.abi.Pack("kitty_address")
}

// UnpackKittyAddress is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa47e7f80.
//
// Solidity: function kitty_address() view returns(address)
func (hub *Hub) UnpackKittyAddress(data []byte) (common.Address, error) {
	out, err := hub.abi.Unpack("kitty_address", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackKittyMin is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x77a99692.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function kitty_min() view returns(uint256)
func (hub *Hub) PackKittyMin() []byte {
	enc, err := hub.abi.Pack("kitty_min")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackKittyMin is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x77a99692.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function kitty_min() view returns(uint256)
func (hub *Hub) TryPackKittyMin() ([]byte, error) {
	return hub.abi.Pack("kitty_min")
}

// UnpackKittyMin is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x77a99692.
//
// Solidity: function kitty_min() view returns(uint256)
func (hub *Hub) UnpackKittyMin(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("kitty_min", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackKittyRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdcb03241.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function kitty_ratio() view returns(uint256)
func (hub *Hub) PackKittyRatio() []byte {
	enc, err := hub.abi.Pack("kitty_ratio")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackKittyRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdcb03241.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function kitty_ratio() view returns(uint256)
func (hub *Hub) TryPackKittyRatio() ([]byte, error) {
	return hub.abi.Pack("kitty_ratio")
}

// UnpackKittyRatio is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xdcb03241.
//
// Solidity: function kitty_ratio() view returns(uint256)
func (hub *Hub) UnpackKittyRatio(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("kitty_ratio", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackManageAppOrder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb2b07e66.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function manageAppOrder(((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes),uint8,bytes) ) returns()
func (hub *Hub) PackManageAppOrder(arg0 IexecLibOrdersV5AppOrderOperation) []byte {
	enc, err := hub.abi.Pack("manageAppOrder", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackManageAppOrder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb2b07e66.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function manageAppOrder(((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes),uint8,bytes) ) returns()
func (hub *Hub) TryPackManageAppOrder(arg0 IexecLibOrdersV5AppOrderOperation) ([]byte, error) {
	return hub.abi.Pack("manageAppOrder", arg0)
}

// PackManageRequestOrder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8dd971d5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function manageRequestOrder(((address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes),uint8,bytes) ) returns()
func (hub *Hub) PackManageRequestOrder(arg0 IexecLibOrdersV5RequestOrderOperation) []byte {
	enc, err := hub.abi.Pack("manageRequestOrder", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackManageRequestOrder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8dd971d5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function manageRequestOrder(((address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes),uint8,bytes) ) returns()
func (hub *Hub) TryPackManageRequestOrder(arg0 IexecLibOrdersV5RequestOrderOperation) ([]byte, error) {
	return hub.abi.Pack("manageRequestOrder", arg0)
}

// PackManageWorkerpoolOrder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7e34a077.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function manageWorkerpoolOrder(((address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes),uint8,bytes) ) returns()
func (hub *Hub) PackManageWorkerpoolOrder(arg0 IexecLibOrdersV5WorkerpoolOrderOperation) []byte {
	enc, err := hub.abi.Pack("manageWorkerpoolOrder", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackManageWorkerpoolOrder is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7e34a077.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function manageWorkerpoolOrder(((address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes),uint8,bytes) ) returns()
func (hub *Hub) TryPackManageWorkerpoolOrder(arg0 IexecLibOrdersV5WorkerpoolOrderOperation) ([]byte, error) {
	return hub.abi.Pack("manageWorkerpoolOrder", arg0)
}

// PackMatchOrders is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x156194d4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function matchOrders((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) , (address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) , (address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes) , (address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes) ) returns(bytes32)
func (hub *Hub) PackMatchOrders(arg0 IexecLibOrdersV5AppOrder, arg1 IexecLibOrdersV5DatasetOrder, arg2 IexecLibOrdersV5WorkerpoolOrder, arg3 IexecLibOrdersV5RequestOrder) []byte {
	enc, err := hub.abi.Pack("matchOrders", arg0, arg1, arg2, arg3)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMatchOrders is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x156194d4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function matchOrders((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) , (address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) , (address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes) , (address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes) ) returns(bytes32)
func (hub *Hub) TryPackMatchOrders(arg0 IexecLibOrdersV5AppOrder, arg1 IexecLibOrdersV5DatasetOrder, arg2 IexecLibOrdersV5WorkerpoolOrder, arg3 IexecLibOrdersV5RequestOrder) ([]byte, error) {
	return hub.abi.Pack("matchOrders", arg0, arg1, arg2, arg3)
}

// UnpackMatchOrders is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x156194d4.
//
// Solidity: function matchOrders((address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) , (address,uint256,uint256,bytes32,address,address,address,bytes32,bytes) , (address,uint256,uint256,bytes32,uint256,uint256,address,address,address,bytes32,bytes) , (address,uint256,address,uint256,address,uint256,address,uint256,bytes32,uint256,uint256,address,address,string,bytes32,bytes) ) returns(bytes32)
func (hub *Hub) UnpackMatchOrders(data []byte) ([32]byte, error) {
	out, err := hub.abi.Unpack("matchOrders", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackReopen is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf6c68e10.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function reopen(bytes32 taskId) returns()
func (hub *Hub) PackReopen(taskId [32]byte) []byte {
	enc, err := hub.abi.Pack("reopen", taskId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReopen is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xf6c68e10.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function reopen(bytes32 taskId) returns()
func (hub *Hub) TryPackReopen(taskId [32]byte) ([]byte, error) {
	return hub.abi.Pack("reopen", taskId)
}

// PackResultFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd09cc57e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function resultFor(bytes32 id) view returns(bytes)
func (hub *Hub) PackResultFor(id [32]byte) []byte {
	enc, err := hub.abi.Pack("resultFor", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackResultFor is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd09cc57e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function resultFor(bytes32 id) view returns(bytes)
func (hub *Hub) TryPackResultFor(id [32]byte) ([]byte, error) {
	return hub.abi.Pack("resultFor", id)
}

// UnpackResultFor is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd09cc57e.
//
// Solidity: function resultFor(bytes32 id) view returns(bytes)
func (hub *Hub) UnpackResultFor(data []byte) ([]byte, error) {
	out, err := hub.abi.Unpack("resultFor", data)
	if err != nil {
		return *new([]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([]byte)).(*[]byte)
	return out0, nil
}

// PackReveal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfc334e8c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function reveal(bytes32 taskId, bytes32 resultDigest) returns()
func (hub *Hub) PackReveal(taskId [32]byte, resultDigest [32]byte) []byte {
	enc, err := hub.abi.Pack("reveal", taskId, resultDigest)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackReveal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfc334e8c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function reveal(bytes32 taskId, bytes32 resultDigest) returns()
func (hub *Hub) TryPackReveal(taskId [32]byte, resultDigest [32]byte) ([]byte, error) {
	return hub.abi.Pack("reveal", taskId, resultDigest)
}

// PackRevealDeadlineRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2b8857c1.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function reveal_deadline_ratio() view returns(uint256)
func (hub *Hub) PackRevealDeadlineRatio() []byte {
	enc, err := hub.abi.Pack("reveal_deadline_ratio")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRevealDeadlineRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2b8857c1.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function reveal_deadline_ratio() view returns(uint256)
func (hub *Hub) TryPackRevealDeadlineRatio() ([]byte, error) {
	return hub.abi.Pack("reveal_deadline_ratio")
}

// UnpackRevealDeadlineRatio is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2b8857c1.
//
// Solidity: function reveal_deadline_ratio() view returns(uint256)
func (hub *Hub) UnpackRevealDeadlineRatio(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("reveal_deadline_ratio", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackTeebroker is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5975b8fc.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function teebroker() view returns(address)
func (hub *Hub) PackTeebroker() []byte {
	enc, err := hub.abi.Pack("teebroker")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTeebroker is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5975b8fc.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function teebroker() view returns(address)
func (hub *Hub) TryPackTeebroker() ([]byte, error) {
	return hub.abi.Pack("teebroker")
}

// UnpackTeebroker is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5975b8fc.
//
// Solidity: function teebroker() view returns(address)
func (hub *Hub) UnpackTeebroker(data []byte) (common.Address, error) {
	out, err := hub.abi.Unpack("teebroker", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackToken is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfc0c546a.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function token() view returns(address)
func (hub *Hub) PackToken() []byte {
	enc, err := hub.abi.Pack("token")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackToken is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xfc0c546a.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function token() view returns(address)
func (hub *Hub) TryPackToken() ([]byte, error) {
	return hub.abi.Pack("token")
}

// UnpackToken is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xfc0c546a.
//
// Solidity: function token() view returns(address)
func (hub *Hub) UnpackToken(data []byte) (common.Address, error) {
	out, err := hub.abi.Unpack("token", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackVerifyPresignatureOrSignature is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbf36994e.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function verifyPresignatureOrSignature(address , bytes32 , bytes ) view returns(bool)
func (hub *Hub) PackVerifyPresignatureOrSignature(arg0 common.Address, arg1 [32]byte, arg2 []byte) []byte {
	enc, err := hub.abi.Pack("verifyPresignatureOrSignature", arg0, arg1, arg2)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVerifyPresignatureOrSignature is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbf36994e.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function verifyPresignatureOrSignature(address , bytes32 , bytes ) view returns(bool)
func (hub *Hub) TryPackVerifyPresignatureOrSignature(arg0 common.Address, arg1 [32]byte, arg2 []byte) ([]byte, error) {
	return hub.abi.Pack("verifyPresignatureOrSignature", arg0, arg1, arg2)
}

// UnpackVerifyPresignatureOrSignature is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbf36994e.
//
// Solidity: function verifyPresignatureOrSignature(address , bytes32 , bytes ) view returns(bool)
func (hub *Hub) UnpackVerifyPresignatureOrSignature(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("verifyPresignatureOrSignature", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackViewAccount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6b55f4a5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewAccount(address account) view returns((uint256,uint256))
func (hub *Hub) PackViewAccount(account common.Address) []byte {
	enc, err := hub.abi.Pack("viewAccount", account)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewAccount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6b55f4a5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewAccount(address account) view returns((uint256,uint256))
func (hub *Hub) TryPackViewAccount(account common.Address) ([]byte, error) {
	return hub.abi.Pack("viewAccount", account)
}

// UnpackViewAccount is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6b55f4a5.
//
// Solidity: function viewAccount(address account) view returns((uint256,uint256))
func (hub *Hub) UnpackViewAccount(data []byte) (IexecLibCoreV5Account, error) {
	out, err := hub.abi.Unpack("viewAccount", data)
	if err != nil {
		return *new(IexecLibCoreV5Account), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5Account)).(*IexecLibCoreV5Account)
	return out0, nil
}

// PackViewApp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe1523fb4.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewApp(address app) view returns((address,string,string,bytes,bytes32,bytes))
func (hub *Hub) PackViewApp(app common.Address) []byte {
	enc, err := hub.abi.Pack("viewApp", app)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewApp is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe1523fb4.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewApp(address app) view returns((address,string,string,bytes,bytes32,bytes))
func (hub *Hub) TryPackViewApp(app common.Address) ([]byte, error) {
	return hub.abi.Pack("viewApp", app)
}

// UnpackViewApp is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe1523fb4.
//
// Solidity: function viewApp(address app) view returns((address,string,string,bytes,bytes32,bytes))
func (hub *Hub) UnpackViewApp(data []byte) (IexecLibCoreV5AppInfo, error) {
	out, err := hub.abi.Unpack("viewApp", data)
	if err != nil {
		return *new(IexecLibCoreV5AppInfo), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5AppInfo)).(*IexecLibCoreV5AppInfo)
	return out0, nil
}

// PackViewCategory is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4f5f44ec.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewCategory(uint256 _catid) view returns((string,string,uint256))
func (hub *Hub) PackViewCategory(catid *big.Int) []byte {
	enc, err := hub.abi.Pack("viewCategory", catid)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewCategory is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4f5f44ec.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewCategory(uint256 _catid) view returns((string,string,uint256))
func (hub *Hub) TryPackViewCategory(catid *big.Int) ([]byte, error) {
	return hub.abi.Pack("viewCategory", catid)
}

// UnpackViewCategory is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4f5f44ec.
//
// Solidity: function viewCategory(uint256 _catid) view returns((string,string,uint256))
func (hub *Hub) UnpackViewCategory(data []byte) (IexecLibCoreV5Category, error) {
	out, err := hub.abi.Unpack("viewCategory", data)
	if err != nil {
		return *new(IexecLibCoreV5Category), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5Category)).(*IexecLibCoreV5Category)
	return out0, nil
}

// PackViewConsumed is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4b2bec8c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewConsumed(bytes32 _id) view returns(uint256 consumed)
func (hub *Hub) PackViewConsumed(id [32]byte) []byte {
	enc, err := hub.abi.Pack("viewConsumed", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewConsumed is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x4b2bec8c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewConsumed(bytes32 _id) view returns(uint256 consumed)
func (hub *Hub) TryPackViewConsumed(id [32]byte) ([]byte, error) {
	return hub.abi.Pack("viewConsumed", id)
}

// UnpackViewConsumed is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x4b2bec8c.
//
// Solidity: function viewConsumed(bytes32 _id) view returns(uint256 consumed)
func (hub *Hub) UnpackViewConsumed(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("viewConsumed", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackViewContribution is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe741363b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewContribution(bytes32 _taskid, address _worker) view returns((uint8,bytes32,bytes32,address,uint256))
func (hub *Hub) PackViewContribution(taskid [32]byte, worker common.Address) []byte {
	enc, err := hub.abi.Pack("viewContribution", taskid, worker)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewContribution is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xe741363b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewContribution(bytes32 _taskid, address _worker) view returns((uint8,bytes32,bytes32,address,uint256))
func (hub *Hub) TryPackViewContribution(taskid [32]byte, worker common.Address) ([]byte, error) {
	return hub.abi.Pack("viewContribution", taskid, worker)
}

// UnpackViewContribution is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xe741363b.
//
// Solidity: function viewContribution(bytes32 _taskid, address _worker) view returns((uint8,bytes32,bytes32,address,uint256))
func (hub *Hub) UnpackViewContribution(data []byte) (IexecLibCoreV5Contribution, error) {
	out, err := hub.abi.Unpack("viewContribution", data)
	if err != nil {
		return *new(IexecLibCoreV5Contribution), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5Contribution)).(*IexecLibCoreV5Contribution)
	return out0, nil
}

// PackViewDataset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1e143ef7.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewDataset(address dataset) view returns((address,string,bytes,bytes32))
func (hub *Hub) PackViewDataset(dataset common.Address) []byte {
	enc, err := hub.abi.Pack("viewDataset", dataset)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewDataset is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x1e143ef7.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewDataset(address dataset) view returns((address,string,bytes,bytes32))
func (hub *Hub) TryPackViewDataset(dataset common.Address) ([]byte, error) {
	return hub.abi.Pack("viewDataset", dataset)
}

// UnpackViewDataset is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x1e143ef7.
//
// Solidity: function viewDataset(address dataset) view returns((address,string,bytes,bytes32))
func (hub *Hub) UnpackViewDataset(data []byte) (IexecLibCoreV5DatasetInfo, error) {
	out, err := hub.abi.Unpack("viewDataset", data)
	if err != nil {
		return *new(IexecLibCoreV5DatasetInfo), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5DatasetInfo)).(*IexecLibCoreV5DatasetInfo)
	return out0, nil
}

// PackViewDeal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb74861b2.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewDeal(bytes32 id) view returns(((address,address,uint256),(address,address,uint256),(address,address,uint256),uint256,uint256,bytes32,address,address,address,string,uint256,uint256,uint256,uint256,uint256,address))
func (hub *Hub) PackViewDeal(id [32]byte) []byte {
	enc, err := hub.abi.Pack("viewDeal", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewDeal is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xb74861b2.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewDeal(bytes32 id) view returns(((address,address,uint256),(address,address,uint256),(address,address,uint256),uint256,uint256,bytes32,address,address,address,string,uint256,uint256,uint256,uint256,uint256,address))
func (hub *Hub) TryPackViewDeal(id [32]byte) ([]byte, error) {
	return hub.abi.Pack("viewDeal", id)
}

// UnpackViewDeal is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xb74861b2.
//
// Solidity: function viewDeal(bytes32 id) view returns(((address,address,uint256),(address,address,uint256),(address,address,uint256),uint256,uint256,bytes32,address,address,address,string,uint256,uint256,uint256,uint256,uint256,address))
func (hub *Hub) UnpackViewDeal(data []byte) (IexecLibCoreV5Deal, error) {
	out, err := hub.abi.Unpack("viewDeal", data)
	if err != nil {
		return *new(IexecLibCoreV5Deal), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5Deal)).(*IexecLibCoreV5Deal)
	return out0, nil
}

// PackViewPresigned is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd286eb16.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewPresigned(bytes32 _id) view returns(address signer)
func (hub *Hub) PackViewPresigned(id [32]byte) []byte {
	enc, err := hub.abi.Pack("viewPresigned", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewPresigned is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xd286eb16.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewPresigned(bytes32 _id) view returns(address signer)
func (hub *Hub) TryPackViewPresigned(id [32]byte) ([]byte, error) {
	return hub.abi.Pack("viewPresigned", id)
}

// UnpackViewPresigned is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xd286eb16.
//
// Solidity: function viewPresigned(bytes32 _id) view returns(address signer)
func (hub *Hub) UnpackViewPresigned(data []byte) (common.Address, error) {
	out, err := hub.abi.Unpack("viewPresigned", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackViewScore is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdb230b52.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewScore(address _worker) view returns(uint256)
func (hub *Hub) PackViewScore(worker common.Address) []byte {
	enc, err := hub.abi.Pack("viewScore", worker)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewScore is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdb230b52.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewScore(address _worker) view returns(uint256)
func (hub *Hub) TryPackViewScore(worker common.Address) ([]byte, error) {
	return hub.abi.Pack("viewScore", worker)
}

// UnpackViewScore is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xdb230b52.
//
// Solidity: function viewScore(address _worker) view returns(uint256)
func (hub *Hub) UnpackViewScore(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("viewScore", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackViewTask is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xadccf0d5.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewTask(bytes32 id) view returns((uint8,bytes32,uint256,uint256,uint256,uint256,uint256,bytes32,uint256,uint256,address[],bytes32,bytes,uint256,bytes))
func (hub *Hub) PackViewTask(id [32]byte) []byte {
	enc, err := hub.abi.Pack("viewTask", id)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewTask is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xadccf0d5.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewTask(bytes32 id) view returns((uint8,bytes32,uint256,uint256,uint256,uint256,uint256,bytes32,uint256,uint256,address[],bytes32,bytes,uint256,bytes))
func (hub *Hub) TryPackViewTask(id [32]byte) ([]byte, error) {
	return hub.abi.Pack("viewTask", id)
}

// UnpackViewTask is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xadccf0d5.
//
// Solidity: function viewTask(bytes32 id) view returns((uint8,bytes32,uint256,uint256,uint256,uint256,uint256,bytes32,uint256,uint256,address[],bytes32,bytes,uint256,bytes))
func (hub *Hub) UnpackViewTask(data []byte) (IexecLibCoreV5Task, error) {
	out, err := hub.abi.Unpack("viewTask", data)
	if err != nil {
		return *new(IexecLibCoreV5Task), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5Task)).(*IexecLibCoreV5Task)
	return out0, nil
}

// PackViewWorkerpool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbd8ab058.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function viewWorkerpool(address workerpool) view returns((address,string,uint256,uint256))
func (hub *Hub) PackViewWorkerpool(workerpool common.Address) []byte {
	enc, err := hub.abi.Pack("viewWorkerpool", workerpool)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackViewWorkerpool is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbd8ab058.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function viewWorkerpool(address workerpool) view returns((address,string,uint256,uint256))
func (hub *Hub) TryPackViewWorkerpool(workerpool common.Address) ([]byte, error) {
	return hub.abi.Pack("viewWorkerpool", workerpool)
}

// UnpackViewWorkerpool is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbd8ab058.
//
// Solidity: function viewWorkerpool(address workerpool) view returns((address,string,uint256,uint256))
func (hub *Hub) UnpackViewWorkerpool(data []byte) (IexecLibCoreV5WorkerpoolInfo, error) {
	out, err := hub.abi.Unpack("viewWorkerpool", data)
	if err != nil {
		return *new(IexecLibCoreV5WorkerpoolInfo), err
	}
	out0 := *abi.ConvertType(out[0], new(IexecLibCoreV5WorkerpoolInfo)).(*IexecLibCoreV5WorkerpoolInfo)
	return out0, nil
}

// PackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2e1a7d4d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdraw(uint256 ) returns(bool)
func (hub *Hub) PackWithdraw(arg0 *big.Int) []byte {
	enc, err := hub.abi.Pack("withdraw", arg0)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdraw is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2e1a7d4d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdraw(uint256 ) returns(bool)
func (hub *Hub) TryPackWithdraw(arg0 *big.Int) ([]byte, error) {
	return hub.abi.Pack("withdraw", arg0)
}

// UnpackWithdraw is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x2e1a7d4d.
//
// Solidity: function withdraw(uint256 ) returns(bool)
func (hub *Hub) UnpackWithdraw(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("withdraw", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackWithdrawTo is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc86283c8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdrawTo(uint256 , address ) returns(bool)
func (hub *Hub) PackWithdrawTo(arg0 *big.Int, arg1 common.Address) []byte {
	enc, err := hub.abi.Pack("withdrawTo", arg0, arg1)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdrawTo is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xc86283c8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdrawTo(uint256 , address ) returns(bool)
func (hub *Hub) TryPackWithdrawTo(arg0 *big.Int, arg1 common.Address) ([]byte, error) {
	return hub.abi.Pack("withdrawTo", arg0, arg1)
}

// UnpackWithdrawTo is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xc86283c8.
//
// Solidity: function withdrawTo(uint256 , address ) returns(bool)
func (hub *Hub) UnpackWithdrawTo(data []byte) (bool, error) {
	out, err := hub.abi.Unpack("withdrawTo", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackWorkerpoolStakeRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6112f6fd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function workerpool_stake_ratio() view returns(uint256)
func (hub *Hub) PackWorkerpoolStakeRatio() []byte {
	enc, err := hub.abi.Pack("workerpool_stake_ratio")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWorkerpoolStakeRatio is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x6112f6fd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function workerpool_stake_ratio() view returns(uint256)
func (hub *Hub) TryPackWorkerpoolStakeRatio() ([]byte, error) {
	return hub.abi.Pack("workerpool_stake_ratio")
}

// UnpackWorkerpoolStakeRatio is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x6112f6fd.
//
// Solidity: function workerpool_stake_ratio() view returns(uint256)
func (hub *Hub) UnpackWorkerpoolStakeRatio(data []byte) (*big.Int, error) {
	out, err := hub.abi.Unpack("workerpool_stake_ratio", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackWorkerpoolregistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x90a0f546.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function workerpoolregistry() view returns(address)
func (hub *Hub) PackWorkerpoolregistry() []byte {
	enc, err := hub.abi.Pack("workerpoolregistry")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWorkerpoolregistry is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x90a0f546.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function workerpoolregistry() view returns(address)
func (hub *Hub) TryPackWorkerpoolregistry() ([]byte, error) {
	return hub.abi.Pack("workerpoolregistry")
}

// UnpackWorkerpoolregistry is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x90a0f546.
//
// Solidity: function workerpoolregistry() view returns(address)
func (hub *Hub) UnpackWorkerpoolregistry(data []byte) (common.Address, error) {
	out, err := hub.abi.Unpack("workerpoolregistry", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// HubAccurateContribution represents a AccurateContribution event raised by the Hub contract.
type HubAccurateContribution struct {
	Worker common.Address
	Taskid [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubAccurateContributionEventName = "AccurateContribution"

// ContractEventName returns the user-defined event name.
func (HubAccurateContribution) ContractEventName() string {
	return HubAccurateContributionEventName
}

// UnpackAccurateContributionEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event AccurateContribution(address indexed worker, bytes32 indexed taskid)
func (hub *Hub) UnpackAccurateContributionEvent(log *types.Log) (*HubAccurateContribution, error) {
	event := "AccurateContribution"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubAccurateContribution)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubClosedAppOrder represents a ClosedAppOrder event raised by the Hub contract.
type HubClosedAppOrder struct {
	AppHash [32]byte
	Raw     *types.Log // Blockchain specific contextual infos
}

const HubClosedAppOrderEventName = "ClosedAppOrder"

// ContractEventName returns the user-defined event name.
func (HubClosedAppOrder) ContractEventName() string {
	return HubClosedAppOrderEventName
}

// UnpackClosedAppOrderEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ClosedAppOrder(bytes32 appHash)
func (hub *Hub) UnpackClosedAppOrderEvent(log *types.Log) (*HubClosedAppOrder, error) {
	event := "ClosedAppOrder"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubClosedAppOrder)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubClosedRequestOrder represents a ClosedRequestOrder event raised by the Hub contract.
type HubClosedRequestOrder struct {
	RequestHash [32]byte
	Raw         *types.Log // Blockchain specific contextual infos
}

const HubClosedRequestOrderEventName = "ClosedRequestOrder"

// ContractEventName returns the user-defined event name.
func (HubClosedRequestOrder) ContractEventName() string {
	return HubClosedRequestOrderEventName
}

// UnpackClosedRequestOrderEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ClosedRequestOrder(bytes32 requestHash)
func (hub *Hub) UnpackClosedRequestOrderEvent(log *types.Log) (*HubClosedRequestOrder, error) {
	event := "ClosedRequestOrder"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubClosedRequestOrder)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubClosedWorkerpoolOrder represents a ClosedWorkerpoolOrder event raised by the Hub contract.
type HubClosedWorkerpoolOrder struct {
	WorkerpoolHash [32]byte
	Raw            *types.Log // Blockchain specific contextual infos
}

const HubClosedWorkerpoolOrderEventName = "ClosedWorkerpoolOrder"

// ContractEventName returns the user-defined event name.
func (HubClosedWorkerpoolOrder) ContractEventName() string {
	return HubClosedWorkerpoolOrderEventName
}

// UnpackClosedWorkerpoolOrderEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event ClosedWorkerpoolOrder(bytes32 workerpoolHash)
func (hub *Hub) UnpackClosedWorkerpoolOrderEvent(log *types.Log) (*HubClosedWorkerpoolOrder, error) {
	event := "ClosedWorkerpoolOrder"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubClosedWorkerpoolOrder)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubFaultyContribution represents a FaultyContribution event raised by the Hub contract.
type HubFaultyContribution struct {
	Worker common.Address
	Taskid [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubFaultyContributionEventName = "FaultyContribution"

// ContractEventName returns the user-defined event name.
func (HubFaultyContribution) ContractEventName() string {
	return HubFaultyContributionEventName
}

// UnpackFaultyContributionEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event FaultyContribution(address indexed worker, bytes32 indexed taskid)
func (hub *Hub) UnpackFaultyContributionEvent(log *types.Log) (*HubFaultyContribution, error) {
	event := "FaultyContribution"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubFaultyContribution)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubLock represents a Lock event raised by the Hub contract.
type HubLock struct {
	Owner  common.Address
	Amount *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubLockEventName = "Lock"

// ContractEventName returns the user-defined event name.
func (HubLock) ContractEventName() string {
	return HubLockEventName
}

// UnpackLockEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Lock(address owner, uint256 amount)
func (hub *Hub) UnpackLockEvent(log *types.Log) (*HubLock, error) {
	event := "Lock"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubLock)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubOrdersMatched represents a OrdersMatched event raised by the Hub contract.
type HubOrdersMatched struct {
	Dealid         [32]byte
	AppHash        [32]byte
	DatasetHash    [32]byte
	WorkerpoolHash [32]byte
	RequestHash    [32]byte
	Volume         *big.Int
	Raw            *types.Log // Blockchain specific contextual infos
}

const HubOrdersMatchedEventName = "OrdersMatched"

// ContractEventName returns the user-defined event name.
func (HubOrdersMatched) ContractEventName() string {
	return HubOrdersMatchedEventName
}

// UnpackOrdersMatchedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event OrdersMatched(bytes32 dealid, bytes32 appHash, bytes32 datasetHash, bytes32 workerpoolHash, bytes32 requestHash, uint256 volume)
func (hub *Hub) UnpackOrdersMatchedEvent(log *types.Log) (*HubOrdersMatched, error) {
	event := "OrdersMatched"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubOrdersMatched)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubReward represents a Reward event raised by the Hub contract.
type HubReward struct {
	Owner  common.Address
	Amount *big.Int
	Ref    [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubRewardEventName = "Reward"

// ContractEventName returns the user-defined event name.
func (HubReward) ContractEventName() string {
	return HubRewardEventName
}

// UnpackRewardEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Reward(address owner, uint256 amount, bytes32 ref)
func (hub *Hub) UnpackRewardEvent(log *types.Log) (*HubReward, error) {
	event := "Reward"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubReward)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubSchedulerNotice represents a SchedulerNotice event raised by the Hub contract.
type HubSchedulerNotice struct {
	Workerpool common.Address
	Dealid     [32]byte
	Raw        *types.Log // Blockchain specific contextual infos
}

const HubSchedulerNoticeEventName = "SchedulerNotice"

// ContractEventName returns the user-defined event name.
func (HubSchedulerNotice) ContractEventName() string {
	return HubSchedulerNoticeEventName
}

// UnpackSchedulerNoticeEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event SchedulerNotice(address indexed workerpool, bytes32 dealid)
func (hub *Hub) UnpackSchedulerNoticeEvent(log *types.Log) (*HubSchedulerNotice, error) {
	event := "SchedulerNotice"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubSchedulerNotice)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubSeize represents a Seize event raised by the Hub contract.
type HubSeize struct {
	Owner  common.Address
	Amount *big.Int
	Ref    [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubSeizeEventName = "Seize"

// ContractEventName returns the user-defined event name.
func (HubSeize) ContractEventName() string {
	return HubSeizeEventName
}

// UnpackSeizeEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Seize(address owner, uint256 amount, bytes32 ref)
func (hub *Hub) UnpackSeizeEvent(log *types.Log) (*HubSeize, error) {
	event := "Seize"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubSeize)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubSignedAppOrder represents a SignedAppOrder event raised by the Hub contract.
type HubSignedAppOrder struct {
	AppHash [32]byte
	Raw     *types.Log // Blockchain specific contextual infos
}

const HubSignedAppOrderEventName = "SignedAppOrder"

// ContractEventName returns the user-defined event name.
func (HubSignedAppOrder) ContractEventName() string {
	return HubSignedAppOrderEventName
}

// UnpackSignedAppOrderEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event SignedAppOrder(bytes32 appHash)
func (hub *Hub) UnpackSignedAppOrderEvent(log *types.Log) (*HubSignedAppOrder, error) {
	event := "SignedAppOrder"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubSignedAppOrder)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubSignedRequestOrder represents a SignedRequestOrder event raised by the Hub contract.
type HubSignedRequestOrder struct {
	RequestHash [32]byte
	Raw         *types.Log // Blockchain specific contextual infos
}

const HubSignedRequestOrderEventName = "SignedRequestOrder"

// ContractEventName returns the user-defined event name.
func (HubSignedRequestOrder) ContractEventName() string {
	return HubSignedRequestOrderEventName
}

// UnpackSignedRequestOrderEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event SignedRequestOrder(bytes32 requestHash)
func (hub *Hub) UnpackSignedRequestOrderEvent(log *types.Log) (*HubSignedRequestOrder, error) {
	event := "SignedRequestOrder"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubSignedRequestOrder)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubSignedWorkerpoolOrder represents a SignedWorkerpoolOrder event raised by the Hub contract.
type HubSignedWorkerpoolOrder struct {
	WorkerpoolHash [32]byte
	Raw            *types.Log // Blockchain specific contextual infos
}

const HubSignedWorkerpoolOrderEventName = "SignedWorkerpoolOrder"

// ContractEventName returns the user-defined event name.
func (HubSignedWorkerpoolOrder) ContractEventName() string {
	return HubSignedWorkerpoolOrderEventName
}

// UnpackSignedWorkerpoolOrderEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event SignedWorkerpoolOrder(bytes32 workerpoolHash)
func (hub *Hub) UnpackSignedWorkerpoolOrderEvent(log *types.Log) (*HubSignedWorkerpoolOrder, error) {
	event := "SignedWorkerpoolOrder"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubSignedWorkerpoolOrder)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubTaskClaimed represents a TaskClaimed event raised by the Hub contract.
type HubTaskClaimed struct {
	Taskid [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubTaskClaimedEventName = "TaskClaimed"

// ContractEventName returns the user-defined event name.
func (HubTaskClaimed) ContractEventName() string {
	return HubTaskClaimedEventName
}

// UnpackTaskClaimedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event TaskClaimed(bytes32 indexed taskid)
func (hub *Hub) UnpackTaskClaimedEvent(log *types.Log) (*HubTaskClaimed, error) {
	event := "TaskClaimed"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubTaskClaimed)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubTaskConsensus represents a TaskConsensus event raised by the Hub contract.
type HubTaskConsensus struct {
	Taskid    [32]byte
	Consensus [32]byte
	Raw       *types.Log // Blockchain specific contextual infos
}

const HubTaskConsensusEventName = "TaskConsensus"

// ContractEventName returns the user-defined event name.
func (HubTaskConsensus) ContractEventName() string {
	return HubTaskConsensusEventName
}

// UnpackTaskConsensusEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event TaskConsensus(bytes32 indexed taskid, bytes32 consensus)
func (hub *Hub) UnpackTaskConsensusEvent(log *types.Log) (*HubTaskConsensus, error) {
	event := "TaskConsensus"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubTaskConsensus)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubTaskContribute represents a TaskContribute event raised by the Hub contract.
type HubTaskContribute struct {
	Taskid [32]byte
	Worker common.Address
	Hash   [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubTaskContributeEventName = "TaskContribute"

// ContractEventName returns the user-defined event name.
func (HubTaskContribute) ContractEventName() string {
	return HubTaskContributeEventName
}

// UnpackTaskContributeEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event TaskContribute(bytes32 indexed taskid, address indexed worker, bytes32 hash)
func (hub *Hub) UnpackTaskContributeEvent(log *types.Log) (*HubTaskContribute, error) {
	event := "TaskContribute"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubTaskContribute)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubTaskFinalize represents a TaskFinalize event raised by the Hub contract.
type HubTaskFinalize struct {
	Taskid  [32]byte
	Results []byte
	Raw     *types.Log // Blockchain specific contextual infos
}

const HubTaskFinalizeEventName = "TaskFinalize"

// ContractEventName returns the user-defined event name.
func (HubTaskFinalize) ContractEventName() string {
	return HubTaskFinalizeEventName
}

// UnpackTaskFinalizeEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event TaskFinalize(bytes32 indexed taskid, bytes results)
func (hub *Hub) UnpackTaskFinalizeEvent(log *types.Log) (*HubTaskFinalize, error) {
	event := "TaskFinalize"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubTaskFinalize)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubTaskInitialize represents a TaskInitialize event raised by the Hub contract.
type HubTaskInitialize struct {
	Taskid     [32]byte
	Workerpool common.Address
	Raw        *types.Log // Blockchain specific contextual infos
}

const HubTaskInitializeEventName = "TaskInitialize"

// ContractEventName returns the user-defined event name.
func (HubTaskInitialize) ContractEventName() string {
	return HubTaskInitializeEventName
}

// UnpackTaskInitializeEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event TaskInitialize(bytes32 indexed taskid, address indexed workerpool)
func (hub *Hub) UnpackTaskInitializeEvent(log *types.Log) (*HubTaskInitialize, error) {
	event := "TaskInitialize"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubTaskInitialize)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubTaskReopen represents a TaskReopen event raised by the Hub contract.
type HubTaskReopen struct {
	Taskid [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubTaskReopenEventName = "TaskReopen"

// ContractEventName returns the user-defined event name.
func (HubTaskReopen) ContractEventName() string {
	return HubTaskReopenEventName
}

// UnpackTaskReopenEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event TaskReopen(bytes32 indexed taskid)
func (hub *Hub) UnpackTaskReopenEvent(log *types.Log) (*HubTaskReopen, error) {
	event := "TaskReopen"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubTaskReopen)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubTaskReveal represents a TaskReveal event raised by the Hub contract.
type HubTaskReveal struct {
	Taskid [32]byte
	Worker common.Address
	Digest [32]byte
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubTaskRevealEventName = "TaskReveal"

// ContractEventName returns the user-defined event name.
func (HubTaskReveal) ContractEventName() string {
	return HubTaskRevealEventName
}

// UnpackTaskRevealEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event TaskReveal(bytes32 indexed taskid, address indexed worker, bytes32 digest)
func (hub *Hub) UnpackTaskRevealEvent(log *types.Log) (*HubTaskReveal, error) {
	event := "TaskReveal"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubTaskReveal)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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

// HubUnlock represents a Unlock event raised by the Hub contract.
type HubUnlock struct {
	Owner  common.Address
	Amount *big.Int
	Raw    *types.Log // Blockchain specific contextual infos
}

const HubUnlockEventName = "Unlock"

// ContractEventName returns the user-defined event name.
func (HubUnlock) ContractEventName() string {
	return HubUnlockEventName
}

// UnpackUnlockEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Unlock(address owner, uint256 amount)
func (hub *Hub) UnpackUnlockEvent(log *types.Log) (*HubUnlock, error) {
	event := "Unlock"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != hub.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(HubUnlock)
	if len(log.Data) > 0 {
		if err := hub.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range hub.abi.Events[event].Inputs {
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
