package chaintest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Away ends every connection without an answer.
func Away(w http.ResponseWriter, _ *http.Request) bool {
	hijacked, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = hijacked.Close()
	}
	return true
}

// Cut ends every connection in the middle of an answer.
func Cut(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("Content-Length", "1000")
	_, _ = w.Write([]byte(`[{"jsonrpc":"2.0","id":1,"resu`))
	_ = http.NewResponseController(w).Flush()
	return Away(w, nil)
}

// Status answers with a status and a page.
func Status(code int, page string) Break {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(page))
		return true
	}
}

// TooOften answers 429 and how long to wait.
func TooOften(wait time.Duration) Break {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
}

// Refuse answers calls of a method with an error.
func Refuse(method string, err Error) Fault {
	return func(call *Call, next func()) {
		if call.Method == method {
			call.Err = &err
			return
		}
		next()
	}
}

// RangeLimit refuses eth_getLogs over more blocks than most.
func RangeLimit(most uint64, err Error) Fault {
	return func(call *Call, next func()) {
		var filter struct{ FromBlock, ToBlock hexutil.Uint64 }
		if call.Method == "eth_getLogs" && json.Unmarshal(call.Params[0], &filter) == nil && uint64(filter.ToBlock-filter.FromBlock)+1 > most {
			call.Err = &err
			return
		}
		next()
	}
}

// Logs changes the answers of eth_getLogs.
func Logs(change func([]json.RawMessage) []json.RawMessage) Fault {
	return func(call *Call, next func()) {
		next()
		var logs []json.RawMessage
		if call.Method != "eth_getLogs" || call.Err != nil || json.Unmarshal(call.Result, &logs) != nil {
			return
		}
		call.Result = encode(change(logs))
	}
}

// Doubled gives every log twice, in no order.
func Doubled(random *rand.Rand) Fault {
	return Logs(func(logs []json.RawMessage) []json.RawMessage {
		out := append(logs[:len(logs):len(logs)], logs...)
		random.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
		return out
	})
}

// Missing leaves out a share of the logs.
func Missing(random *rand.Rand, share float64) Fault {
	return Logs(func(logs []json.RawMessage) []json.RawMessage {
		out := []json.RawMessage{}
		for _, l := range logs {
			if random.Float64() >= share {
				out = append(out, l)
			}
		}
		return out
	})
}

// OldHead takes an older block for the newest, and knows none after it.
func OldHead(newest uint64) Fault {
	return func(call *Call, next func()) {
		if call.Method == "eth_getBlockByNumber" {
			var tag string
			var number hexutil.Uint64
			_ = json.Unmarshal(call.Params[0], &tag)
			if tag == "latest" {
				call.Params[0] = encode(hexutil.Uint64(newest))
			} else if json.Unmarshal(call.Params[0], &number) == nil && uint64(number) > newest {
				call.Result = encode(nil)
				return
			}
		}
		next()
	}
}

// Finalized says that a block can no longer change.
func Finalized(number uint64) Fault {
	return func(call *Call, next func()) {
		var tag string
		final := call.Method == "eth_getBlockByNumber" && json.Unmarshal(call.Params[0], &tag) == nil && tag == "finalized"
		next()
		if !final {
			return
		}
		block := map[string]any{}
		if call.Err != nil || json.Unmarshal(call.Result, &block) != nil || block == nil {
			block = map[string]any{"hash": fmt.Sprintf("0x%064x", number+1), "timestamp": "0x1", "gasLimit": "0x1"}
		}
		block["number"] = hexutil.Uint64(number)
		call.Err, call.Result = nil, encode(block)
	}
}

// NoHashes refuses a block's hash in the place of its number.
func NoHashes(call *Call, next func()) {
	if named(call) {
		call.Err = &Error{Code: -32602, Message: "invalid argument 1: json: cannot unmarshal object into Go value of type string"}
		return
	}
	next()
}

// AnyHash takes the newest block for every hash.
func AnyHash(call *Call, next func()) {
	if named(call) {
		call.Params[1] = encode("latest")
	}
	next()
}

func named(call *Call) bool {
	return len(call.Params) > 1 && len(call.Params[1]) > 0 && call.Params[1][0] == '{'
}

func encode(v any) json.RawMessage {
	out, err := json.Marshal(v)
	if err != nil {
		panic(err) // of values made here
	}
	return out
}
