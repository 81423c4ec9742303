package node

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"github.com/ethereum/go-ethereum/rpc"
)

// JSON-RPC does not say why a node refuses; providers say it in words and codes
// of their own. Here they are told apart. Where from: the sources of geth and
// Nitro, providers' documents, and what clients' issues and test suites quote
// (ethers, ponder, rindexer, INFURA/infura#237, erigon#17245).
var (
	// overrun: too many calls in too short a time. Infura says it with the code
	// that it also has for too many logs.
	overrun = regexp.MustCompile(`(?i)too many requests|rate.?limit|request count exceeded|compute units|throughput|per second|capacity exceeded|credits`)

	// bigBatch: too many calls in one request.
	bigBatch = regexp.MustCompile(`(?i)batch`)

	// TooWide: a range of blocks that holds too many blocks or logs, or takes too
	// long to look through.
	TooWide = regexp.MustCompile(`(?i)range|too many (blocks|results|logs)|more than [\d,]+ (results|logs)|max(imum)? results|number of (requested )?blocks|` +
		`(response|result|size).*(too (large|big)|exceed|greater)|too large|limited to|exceeds (the )?limit|distance|smaller than size|limit exceeded|time(d )?.?out|took too long|larger than \d+ bytes`)

	// Behind: the node lacks a block or its state, because it lags behind the one
	// that was asked before, or because the block is no longer part of the chain.
	Behind = regexp.MustCompile(`(?i)(header|block|hash) (for hash )?(not found|unknown)|unknown block|not currently canonical|could not find block|missing trie node|` +
		`beyond current head|not (yet )?available|unavailable|after last accepted block|no backend is currently healthy|temporarily|internal error|pool is full|out of capacity|time(d )?.?out`)

	// BeyondHead: the range is not too wide, the node is behind.
	BeyondHead = regexp.MustCompile(`(?i)beyond current head|after last accepted block`)

	// NoBlock: there is none of that name.
	NoBlock = regexp.MustCompile(`(?i)(header|block) not found|unknown block|could not find block`)

	// NoHash: the node does not take a block's hash for a block (EIP-1898).
	NoHash = regexp.MustCompile(`(?i)unmarshal|invalid (argument|param|block|type|json)|unsupported|not supported|parse|deseriali[sz]e`)

	// NoMethod: the node does not know the call.
	NoMethod = regexp.MustCompile(`(?i)method.*not (found|exist|support|available)|not (found|support|exist|available).*method|does not exist|unsupported method|unknown method`)

	// Reverts: the contracts refuse the call.
	Reverts = regexp.MustCompile(`(?i)revert|always failing|vm execution error|invalid opcode|gas required exceeds`)

	// Known: the node has or had a sending of these bytes, or of this nonce.
	Known = regexp.MustCompile(`(?i)already ?(known|imported|exists)|known transaction|same hash|alreadyknown|nonce( is)? too low|oldnonce|nonce has already been used`)

	// Poor: the wallet cannot pay.
	Poor = regexp.MustCompile(`(?i)insufficient (funds|balance)|insufficient_funds|not enough (funds|balance)|upfront cost`)

	// Early: sendings with lower nonces are missing.
	Early = regexp.MustCompile(`(?i)nonce( is)? too (high|far|distant)|nonce gap`)

	// Unfit: these bytes will not be taken, others might.
	Unfit = regexp.MustCompile(`(?i)underpriced|fee too low|less than block base fee|gas price (too low|below)|tip (cap )?(too low|below)|intrinsic gas|exceeds (block )?gas limit|gas limit too high|exceeds the configured cap`)
)

// Reverted is the code of an answer in which a contract refuses (geth).
const Reverted = 3

// Says tells whether a node said something in such words.
func Says(err error, words *regexp.Regexp) bool {
	var answer rpc.Error
	return errors.As(err, &answer) && words.MatchString(Told(err))
}

// Told gives the words of an answer with what it adds as data, else of the error.
func Told(err error) string {
	var answer rpc.Error
	if !errors.As(err, &answer) {
		return err.Error()
	}
	if more, ok := answer.(rpc.DataError); ok && more.ErrorData() != nil {
		return fmt.Sprintf("%v %v", answer, more.ErrorData())
	}
	return answer.Error()
}

// Code gives an answer's code, 0 for other errors.
func Code(err error) int {
	var answer rpc.Error
	if errors.As(err, &answer) {
		return answer.ErrorCode()
	}
	return 0
}

// tooMany leaves alone what a contract says: its words are anybody's.
func tooMany(err error) bool {
	return Code(err) == http.StatusTooManyRequests || (Code(err) != Reverted && Says(err, overrun))
}
