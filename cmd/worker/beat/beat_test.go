package beat

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// exchange is one call as the pool saw it; the test answers it.
type exchange struct {
	path   string
	token  string
	body   map[string]any
	answer chan<- reply
}

type reply struct {
	status int // 0 = the connection breaks after the pool has taken the call
	header map[string]string
	body   any
}

// book stands for the assignments.
type book struct {
	reports chan []wire.Report // what is reported next; kept when empty
	last    []wire.Report
	obeyed  chan []wire.Instruction
	changed chan struct{}
}

func (b *book) Reports() []wire.Report {
	select {
	case b.last = <-b.reports:
	default:
	}
	return b.last
}
func (b *book) Obey(in []wire.Instruction) { b.obeyed <- in }
func (b *book) Changed() <-chan struct{}   { return b.changed }

// hands is a clock that the test moves: each wait is told and ends when it is let.
type hands struct {
	now   time.Time
	waits chan time.Duration
	ring  chan time.Time
	luck  time.Duration // what Spread draws, in percent of the most
}

func (h *hands) Now() time.Time                         { return h.now }
func (h *hands) After(d time.Duration) <-chan time.Time { h.waits <- d; return h.ring }
func (h *hands) Spread(d time.Duration) time.Duration   { return d * h.luck / 100 }

type stage struct {
	t      *testing.T
	calls  chan exchange
	book   *book
	clock  *hands
	stop   context.CancelFunc
	ended  chan struct{}
	log    *strings.Builder
	disk   int64
	docker bool
}

func begin(t *testing.T) *stage { return beginWith(t, nil) }

func beginWith(t *testing.T, wallet func(context.Context) (*wire.Wallet, error)) *stage {
	t.Helper()
	s := &stage{
		t: t, calls: make(chan exchange), ended: make(chan struct{}), log: &strings.Builder{}, disk: 1000,
		book:  &book{reports: make(chan []wire.Report, 1), obeyed: make(chan []wire.Instruction, 1), changed: make(chan struct{}, 1)},
		clock: &hands{now: time.Unix(1_000_000, 0), waits: make(chan time.Duration), ring: make(chan time.Time)},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		answer := make(chan reply)
		s.calls <- exchange{r.Method + " " + r.URL.Path, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), body, answer}
		a := <-answer
		if a.status == 0 {
			panic(http.ErrAbortHandler)
		}
		for name, value := range a.header {
			w.Header().Set(name, value)
		}
		w.WriteHeader(a.status)
		if err := json.NewEncoder(w).Encode(a.body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	caller, err := client.New(client.Config{URL: server.URL, Attempts: 1})
	if err != nil {
		t.Fatal(err)
	}
	loop := New(Config{
		Pool: caller, Keeper: s.book, Clock: s.clock, Wallet: wallet, Log: slog.New(slog.NewTextHandler(s.log, nil)),
		Login: func() (wire.Login, error) { return wire.Login{Login: "w", Password: "hush"}, nil },
		Registration: func() (wire.Registration, error) {
			return wire.Registration{Name: "n", Key: "key", Slots: 2, Capabilities: wire.Capabilities{CPU: 4, DiskMB: s.disk, Docker: s.docker}}, nil
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	go func() {
		defer close(s.ended)
		loop.Run(ctx)
	}()
	return s
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}

func (s *stage) call(path, token string) exchange {
	s.t.Helper()
	got := receive(s.t, s.calls, path)
	if got.path != path || got.token != token {
		s.t.Fatalf("call %s with token %q, want %s with %q", got.path, got.token, path, token)
	}
	return got
}

func (s *stage) registers(token string, expires int64) {
	s.t.Helper()
	s.call("POST /session", "").answer <- reply{status: 200, body: wire.Session{Token: "account-" + token}}
	s.call("POST /workers", "account-"+token).answer <- reply{status: 201, body: wire.Registered{Worker: 7, Token: token, ExpiresIn: expires}}
}

// beats answers a heartbeat and gives its body.
func (s *stage) beats(token string, answer reply) map[string]any {
	s.t.Helper()
	got := s.call("POST /workers/7/heartbeat", token)
	got.answer <- answer
	if answer.status == 200 {
		receive(s.t, s.book.obeyed, "instructions")
	}
	return got.body
}

func (s *stage) waits(want time.Duration) {
	s.t.Helper()
	if got := receive(s.t, s.clock.waits, "wait"); got != want {
		s.t.Fatalf("waits %v, want %v", got, want)
	}
}

func (s *stage) passes(d time.Duration) {
	s.clock.now = s.clock.now.Add(d)
	s.clock.ring <- s.clock.now
}

func (s *stage) ends() {
	s.t.Helper()
	s.stop()
	receive(s.t, s.ended, "end")
	for _, secret := range []string{"hush", "token-", "key"} {
		if strings.Contains(s.log.String(), secret) {
			s.t.Errorf("%q stands in the log:\n%s", secret, s.log)
		}
	}
}

func fine(seconds int) reply {
	return reply{status: 200, body: wire.Beat{State: "active", NextHeartbeatS: seconds, Instructions: []wire.Instruction{}}}
}

var held = []wire.Report{{Work: 5, Attempt: 1, State: "running"}}

func TestIntervalIsThePoolsAndNewsComeAtOnce(t *testing.T) {
	s := begin(t)
	s.registers("token-1", 3600)
	if body := s.beats("token-1", fine(30)); len(body) != 0 {
		t.Errorf("an idle heartbeat says %v", body)
	}
	s.waits(30 * time.Second)
	s.passes(30 * time.Second)
	s.beats("token-1", fine(5))
	s.waits(5 * time.Second)
	s.book.reports <- held
	s.book.changed <- struct{}{} // and the time does not pass
	want := map[string]any{"reports": []any{map[string]any{"work": 5., "attempt": 1., "state": "running"}}}
	if diff := cmp.Diff(want, s.beats("token-1", fine(0))); diff != "" {
		t.Error(diff)
	}
	s.waits(time.Second) // never without a pause
	s.passes(time.Second)
	s.beats("token-1", fine(1_000_000))
	s.waits(time.Minute)
	s.ends()
}

// Workers that start together call at any time of the first interval and drift
// afterwards; never is one later than told, never is there no pause.
func TestWorkersSpread(t *testing.T) {
	for luck, want := range map[time.Duration][3]time.Duration{
		0:   {30 * time.Second, 30 * time.Second, time.Second},
		50:  {15500 * time.Millisecond, 28500 * time.Millisecond, time.Second},
		100: {time.Second, 27 * time.Second, time.Second},
	} {
		s := begin(t)
		s.clock.luck = luck
		s.registers("token-1", 36000)
		s.beats("token-1", fine(30))
		s.waits(want[0])
		s.passes(want[0])
		s.beats("token-1", fine(30))
		s.waits(want[1])
		s.passes(36000 * time.Second)
		s.registers("token-2", 36000)
		s.beats("token-2", fine(1))
		s.waits(want[2])
		s.ends()
	}
}

func TestOldTokenLeadsToNewRegistration(t *testing.T) {
	for _, status := range []int{401, 404} {
		s := begin(t)
		s.registers("token-1", 3600)
		s.beats("token-1", fine(5))
		s.waits(5 * time.Second)
		s.passes(5 * time.Second)
		s.beats("token-1", reply{status: status})
		s.waits(0)
		s.passes(0)
		s.registers("token-2", 3600)
		// Refused again straight after: this time it waits.
		s.beats("token-2", reply{status: status})
		s.waits(500 * time.Millisecond)
		s.passes(time.Second)
		s.registers("token-3", 3600)
		s.beats("token-3", fine(5))
		s.waits(5 * time.Second)
		s.ends()
	}
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	s := begin(t)
	s.registers("token-1", 100)
	s.beats("token-1", fine(30))
	s.waits(30 * time.Second)
	s.passes(89 * time.Second)
	s.beats("token-1", fine(30))
	s.waits(30 * time.Second)
	s.passes(time.Second)
	s.registers("token-2", 100)
	s.beats("token-2", fine(30))
	s.waits(30 * time.Second)
	s.ends()
}

func TestOutageIsWaitedOutLongerEachTime(t *testing.T) {
	s := begin(t)
	s.registers("token-1", 3600)
	s.book.reports <- held
	s.beats("token-1", fine(5))
	s.waits(5 * time.Second)
	s.passes(0)
	for i, want := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, 30 * time.Second, 30 * time.Second} {
		broken := reply{status: 500 + i%4}
		if i%2 == 1 {
			broken = reply{} // lost answer: the pool may have taken the call
		}
		body := s.beats("token-1", broken)
		if len(body["reports"].([]any)) != 1 {
			t.Errorf("try %d reports %v", i, body)
		}
		s.waits(want)
		if i == 3 {
			s.book.changed <- struct{}{} // news do not shorten the pause
		}
		s.passes(0)
	}
	s.beats("token-1", fine(5))
	receive(t, s.clock.waits, "wait") // cut short by the news
	s.beats("token-1", fine(5))
	s.waits(5 * time.Second)
	s.passes(0)
	s.beats("token-1", reply{status: 503})
	s.waits(500 * time.Millisecond) // it begins small again
	s.ends()
}

func TestRetryAfterIsHonoured(t *testing.T) {
	s := begin(t)
	s.call("POST /session", "").answer <- reply{status: 429, header: map[string]string{"Retry-After": "120"}}
	s.waits(2 * time.Minute)
	s.passes(0)
	s.registers("token-1", 3600)
	s.beats("token-1", reply{status: 503, header: map[string]string{"Retry-After": "7"}})
	s.waits(7 * time.Second)
	s.passes(0)
	s.beats("token-1", fine(5))
	s.waits(5 * time.Second)
	s.ends()
}

func TestWrongPasswordIsTriedAgainAndToldAsError(t *testing.T) {
	s := begin(t)
	s.call("POST /session", "").answer <- reply{status: 401}
	s.waits(500 * time.Millisecond)
	s.passes(0)
	s.call("POST /session", "").answer <- reply{status: 401}
	s.waits(time.Second)
	s.ends()
	if n := strings.Count(s.log.String(), "level=ERROR"); n != 2 {
		t.Errorf("%d errors in the log\n%s", n, s.log)
	}
}

func TestChangedMachineIsTold(t *testing.T) {
	s := begin(t)
	s.registers("token-1", 36000)
	s.beats("token-1", fine(30))
	for _, c := range []struct {
		disk   int64
		docker bool
		told   bool
	}{{950, false, false}, {800, false, true}, {790, false, false}, {790, true, true}, {790, true, false}, {790, false, true}} {
		s.waits(30 * time.Second)
		s.disk, s.docker = c.disk, c.docker
		s.passes(time.Minute)
		body := s.beats("token-1", fine(30))
		if _, told := body["capabilities"]; told != c.told {
			t.Errorf("%+v: %v", c, body)
		}
	}
	s.waits(30 * time.Second)
	s.ends()
}

// The pool does not listen to an inactive worker: what changed meanwhile is told
// until it was heard.
func TestInactiveWorkerTellsItsNewsAgain(t *testing.T) {
	s := begin(t)
	s.registers("token-1", 36000)
	s.beats("token-1", fine(30))
	s.disk = 10
	for i, state := range []string{"inactive", "inactive", "active", "active"} {
		s.waits(30 * time.Second)
		s.passes(time.Minute)
		body := s.beats("token-1", reply{status: 200, body: wire.Beat{State: state, NextHeartbeatS: 30, Instructions: []wire.Instruction{}}})
		if _, told := body["capabilities"]; told != (i < 3) {
			t.Errorf("heartbeat %d, answered %s: %v", i, state, body)
		}
	}
	s.waits(30 * time.Second)
	s.ends()
}

func TestGoodByeTellsWhatIsNew(t *testing.T) {
	s := begin(t)
	s.registers("token-1", 3600)
	s.book.reports <- held
	s.beats("token-1", fine(5))
	s.waits(5 * time.Second)
	s.book.reports <- []wire.Report{{Work: 5, Attempt: 1, State: "failed", Reason: "r"}}
	s.stop()
	got := s.call("POST /workers/7/heartbeat", "token-1")
	want := map[string]any{"reports": []any{map[string]any{"work": 5., "attempt": 1., "state": "failed", "reason": "r"}}}
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Error(diff)
	}
	got.answer <- fine(5)
	s.ends()
}
