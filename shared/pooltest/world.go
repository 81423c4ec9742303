// Package pooltest is a whole pool inside a test: the verbs wired as the
// functions wire them, on a real database and on the local stand-ins of S3 and
// SQS. It owns that wiring, the passing of time, and doubt at every door. It is
// imported by tests only and decides nothing.
package pooltest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"workerpool/docs"
	"workerpool/shared/auth"
	"workerpool/shared/blob"
	"workerpool/shared/dispatch"
	"workerpool/shared/ethsig"
	"workerpool/shared/heartbeat"
	"workerpool/shared/operate"
	"workerpool/shared/query"
	"workerpool/shared/queue"
	"workerpool/shared/reconcile"
	"workerpool/shared/session"
	"workerpool/shared/store/storetest"
	"workerpool/shared/submit"
	"workerpool/shared/telemetry"
)

// The parameters of every World.
const (
	Pool    = "demo"
	Issuer  = "pooltest"
	MaxFile = 1 << 20 // bytes of an input or a result
	Busy    = 5 * time.Second
	Idle    = 30 * time.Second
	Budget  = 20 // heartbeats a second
)

// World is a pool. Nothing in it happens by itself: a ring is heard when a test
// calls Dispatch, a minute passes when it calls Tick, and time when it calls
// Advance.
type World struct {
	Books  *storetest.Books
	Bucket *blob.Bucket
	Queue  *queue.Queue
	Wire   *storetest.Wire // the store's connections: counts round trips, and cuts them
	Files  *Doubt          // of the bucket's door
	Bell   *Doubt          // of the queue's door
	Tokens *auth.Tokens
	Key    *ethsig.Key // the pool's on the chain; nil in a World without deals

	t        testing.TB
	handler  http.Handler
	flow     *dispatch.Dispatch
	tick     *reconcile.Reconcile
	sqs      *sqs.Client
	queueURL string
	ahead    atomic.Int64 // what Advance has added to the process clock, in nanoseconds
	serial   atomic.Int64
}

// New makes a World of its own: an empty database, bucket and queue.
func New(t testing.TB) *World {
	t.Helper()
	return build(t, nil)
}

// NewWithDeals makes a World that serves deals. There is no chain in it: what a
// chain would show is put into the books (storetest.Books.AddDeal and See).
func NewWithDeals(t testing.TB) *World {
	t.Helper()
	key, err := ethsig.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	return build(t, key)
}

func build(t testing.TB, key *ethsig.Key) *World {
	t.Helper()
	w := &World{Key: key, t: t, Wire: &storetest.Wire{}, Files: &Doubt{}, Bell: &Doubt{}}
	w.Books = storetest.New(t, storetest.Dial(w.Wire.Dial))
	w.Tokens = w.Issuing(Issuer, Pool, time.Now)
	w.sqs, w.queueURL = newQueue(t)
	ctx := t.Context()
	ringer, err := queue.Open(ctx, queue.Config{URL: w.queueURL, Now: w.Now, Fault: w.Bell.ask})
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blob.Open(ctx, blob.Config{Bucket: newBucket(t), PathStyle: true, Fault: w.Files.ask})
	if err != nil {
		t.Fatal(err)
	}
	w.Queue, w.Bucket = ringer, bucket
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: io.Discard, Pool: Pool, Function: "pooltest", Now: time.Now})
	seed := func() uint64 { return uint64(w.serial.Add(1)) }
	dispatching := dispatch.Config{Books: w.Books, Meter: meter, Seed: seed, Lease: true, Now: time.Now}
	if key != nil {
		dispatching.Words, dispatching.Signer = w.Books, ethsig.Word{Signer: key}
	}
	w.flow = dispatch.New(dispatching)
	w.tick = reconcile.New(reconcile.Config{Books: w.Books, Bell: ringer, Meter: meter, Now: time.Now})
	revoked := auth.NewRevoked(w.Books.Apart(t), w.Now)
	known := func(next http.Handler) http.Handler { return auth.Middleware(w.Tokens, revoked, next) }
	w.handler = routes(map[string]http.Handler{
		"session": session.New(session.Config{Accounts: w.Books, Tokens: w.Tokens, Meter: meter}).Handler(known),
		"submit": known(submit.New(submit.Config{
			Books: w.Books, Files: bucket, Bell: ringer, Meter: meter, MaxFile: MaxFile,
		}).Handler()),
		"heartbeat": known(heartbeat.New(heartbeat.Config{
			Books: w.Books, Files: bucket, Bell: ringer, Tokens: w.Tokens, Meter: meter, Seed: seed, Busy: Busy, Idle: Idle, Budget: Budget, MaxFile: MaxFile,
			Pool: Pool, Deals: key != nil, Recover: ethsig.Signed, Keccak: ethsig.Keccak,
		}).Handler()),
		"query": query.New(query.Config{
			Books: w.Books, Reasons: w.Books, Archives: w.Books, Files: bucket, Pool: Pool, MaxFile: MaxFile, OpenAPI: docs.OpenAPI, Now: w.Now,
		}).Handler(known),
		"operate": known(operate.New(operate.Config{Books: w.Books, Accounts: w.Books, Bell: ringer, Errands: w.Books}).Handler()),
	})
	return w
}

// Routes are the pool's, with the function behind each.
var Routes = map[string]string{
	"POST /session":                                "session",
	"POST /session/password":                       "session",
	"POST /works":                                  "submit",
	"DELETE /works/{id}":                           "submit",
	"GET /batches/{id}/inputs":                     "submit",
	"POST /batches/{id}/inputs":                    "submit",
	"GET /works":                                   "query",
	"GET /works/{id}":                              "query",
	"GET /works/{id}/result":                       "query",
	"GET /batches/{id}":                            "query",
	"GET /works/{id}/explain":                      "query",
	"GET /works/{id}/assignments/{worker}/explain": "query",
	"GET /workers/{id}/explain":                    "query",
	"GET /pool":                                    "query",
	"GET /ipfs/{cid}":                              "query",
	"GET /health":                                  "query",
	"GET /openapi.yaml":                            "query",
	"POST /workers":                                "heartbeat",
	"POST /workers/{id}/heartbeat":                 "heartbeat",
	"GET /workers":                                 "operate",
	"POST /workers/{id}/drain":                     "operate",
	"POST /workers/{id}/deactivate":                "operate",
	"POST /workers/{id}/activate":                  "operate",
	"POST /pool/drain":                             "operate",
	"POST /pool/deactivate":                        "operate",
	"POST /pool/activate":                          "operate",
	"GET /requesters/{login}/share":                "operate",
	"PUT /requesters/{login}/share":                "operate",
	"GET /accounts":                                "operate",
	"POST /accounts":                               "operate",
	"GET /accounts/{login}":                        "operate",
	"PATCH /accounts/{login}":                      "operate",
	"POST /accounts/{login}/revoke":                "operate",
	"GET /chain/{errand}":                          "operate",
	"POST /chain/{errand}":                         "operate",
}

func routes(functions map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	for route, function := range Routes {
		mux.Handle(route, functions[function])
	}
	return mux
}

// secrets are the token secrets of all Worlds.
type secrets struct{}

func (secrets) Get(context.Context, string) (map[string]string, error) {
	return map[string]string{"current": "kG7u!x2Qm9Zr4Tw8Lp1Vb6Nc3Yd5Hs0Ej"}, nil
}

func (s secrets) Refresh(ctx context.Context, id string) (map[string]string, error) {
	return s.Get(ctx, id)
}

// Issuing gives tokens of another issuer, pool or clock under the same secret.
func (w *World) Issuing(issuer, pool string, now func() time.Time) *auth.Tokens {
	w.t.Helper()
	tokens, err := auth.NewTokens(w.t.Context(), auth.Config{Issuer: issuer, Pool: pool, Secrets: secrets{}, Now: now})
	if err != nil {
		w.t.Fatal(err)
	}
	return tokens
}

// Now is the process clock of what is throttled or cached; tokens have the real one.
func (w *World) Now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// Advance lets time pass: every stored moment moves into the past.
func (w *World) Advance(d time.Duration) {
	w.t.Helper()
	w.ahead.Add(int64(d))
	for _, moment := range []string{"beat until", "assignment start_by", "assignment run_by", "work open_until", "batch deadline", "lease until", "pool_state held_at"} {
		table, column, _ := strings.Cut(moment, " ")
		w.Books.Exec(w.t, fmt.Sprintf("UPDATE %[1]s SET %[2]s = %[2]s - INTERVAL ? MICROSECOND WHERE %[2]s IS NOT NULL", table, column), d.Microseconds())
	}
}

// Dispatch answers a ring.
func (w *World) Dispatch() {
	w.t.Helper()
	if err := w.TryDispatch(); err != nil {
		w.t.Fatalf("dispatching: %v", err)
	}
}

// TryDispatch answers a ring, perhaps in vain.
func (w *World) TryDispatch() error { return w.flow.Run(w.t.Context()) }

// Tick is the minute's.
func (w *World) Tick() {
	w.t.Helper()
	if err := w.TryTick(); err != nil {
		w.t.Fatalf("ticking: %v", err)
	}
}

// TryTick is the minute's, perhaps in vain.
func (w *World) TryTick() error { return w.tick.Tick(w.t.Context()) }

// Rings takes all rings out of the queue and counts them.
func (w *World) Rings() int {
	w.t.Helper()
	for count := 0; ; {
		out, err := w.sqs.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: aws.String(w.queueURL), MaxNumberOfMessages: 10})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(out.Messages) == 0 {
			return count
		}
		for _, m := range out.Messages {
			if err := dispatch.ParseRing(aws.ToString(m.Body)); err != nil {
				w.t.Fatalf("%s: %v", aws.ToString(m.Body), err)
			}
			if _, err := w.sqs.DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: aws.String(w.queueURL), ReceiptHandle: m.ReceiptHandle}); err != nil {
				w.t.Fatal(err)
			}
			count++
		}
	}
}

// Check holds the books to the pool's promises.
func (w *World) Check() {
	w.t.Helper()
	storetest.Check(w.t, w.Books)
}

// Stored gives a checksum of every table: equal before and after, nothing was
// stored, changed or removed.
func (w *World) Stored() map[string]int64 {
	w.t.Helper()
	rows, err := w.Books.SQL.Query(`CHECKSUM TABLE account, assignment, authorisation, batch, beat, class, draw, event, input, lease, past_assignment, pool_state, ready, requester, tally, work, work_item, worker EXTENDED`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	sums := map[string]int64{}
	for rows.Next() {
		var table string
		var sum int64
		if err := rows.Scan(&table, &sum); err != nil {
			w.t.Fatal(err)
		}
		sums[table] = sum
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return sums
}
