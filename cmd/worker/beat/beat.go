// Package beat is the conversation with the pool: log in, register, and heartbeat
// for as long as the worker lives. It owns when to call and what to do when a call
// fails; it must not know how assignments are carried out.
package beat

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"workerpool/shared/client"
	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

// Pool is what is called; *client.Client is it.
type Pool interface {
	Session(ctx context.Context, login wire.Login) (wire.Session, error)
	Register(ctx context.Context, token string, r wire.Registration) (wire.Registered, error)
	Heartbeat(ctx context.Context, token string, worker int64, h wire.Heartbeat) (wire.Beat, error)
}

// Keeper has the assignments.
type Keeper interface {
	Reports() []wire.Report
	Obey([]wire.Instruction)
	Changed() <-chan struct{} // there is something new to report
}

// Clock is time, and chance. After may be waited for more than once.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
	Spread(d time.Duration) time.Duration // a draw from 0 to d
}

// Config is what a Loop needs. All of it is required but Wallet.
type Config struct {
	Pool         Pool
	Keeper       Keeper
	Clock        Clock
	Login        func() (wire.Login, error) // read each time, so that a password may be changed
	Registration func() (wire.Registration, error)
	Wallet       func(ctx context.Context) (*wire.Wallet, error) // the proof that the worker acts for one; nil = it has none
	Log          *slog.Logger
}

// Bounds of waiting.
const (
	firstPause   = time.Second
	longestPause = time.Minute // between tries, unless the pool asks for more
	longestAsked = time.Hour   // of what the pool may ask for
	longestBeat  = time.Minute
	measureEvery = time.Minute // the machine is looked at anew
	callTime     = 35 * time.Second
	lastCallTime = 5 * time.Second // of the heartbeat that says good-bye
)

// Loop talks to the pool.
type Loop struct {
	Config
	worker   int64
	token    string
	renew    time.Time // when to register again, before the token runs out
	told     wire.Registration
	measured time.Time
	sent     []wire.Report // what the pool has answered to
	failures int           // calls in a row
}

// New makes a Loop.
func New(c Config) *Loop { return &Loop{Config: c} }

// Run talks to the pool until ctx ends; then it reports once more, if there is
// something that the pool does not know.
func (l *Loop) Run(ctx context.Context) {
	for ctx.Err() == nil {
		pause, listen := l.once(ctx)
		var changed <-chan struct{}
		if listen {
			changed = l.Keeper.Changed()
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-l.Clock.After(pause):
		}
	}
	l.bye()
}

// once makes one conversation. It gives how long to wait until the next, and
// whether something new to report is worth coming earlier.
func (l *Loop) once(ctx context.Context) (pause time.Duration, listen bool) {
	limited, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	fresh := l.token == "" || !l.Clock.Now().Before(l.renew)
	if fresh {
		if err := l.register(limited); err != nil {
			return l.failed(ctx, "registering", err), false
		}
	}
	beat, err := l.heartbeat(limited)
	switch status := client.Status(err); {
	case err == nil:
	case (status == http.StatusUnauthorized || status == http.StatusNotFound) && !fresh:
		// The token ran out or was revoked, or the pool does not know the worker any
		// more: a new registration mends all.
		l.Log.Info("the pool wants a new registration", "reason", err)
		l.token = ""
		return 0, false
	default:
		if status == http.StatusUnauthorized || status == http.StatusNotFound {
			l.token = ""
		}
		return l.failed(ctx, "heartbeat", err), false
	}
	if l.failures > 0 {
		l.Log.Info("the pool answers again", "failed_calls", l.failures)
		l.failures = 0
	}
	l.Keeper.Obey(beat.Instructions)
	interval := min(max(time.Duration(beat.NextHeartbeatS)*time.Second, time.Second), longestBeat)
	// Earlier, never later: the lease counts from the interval told. Workers that
	// start together shall not call together ever after: the first interval ends
	// anywhere, the others drift.
	spread := interval / 10
	if fresh {
		spread = interval - time.Second
	}
	return interval - l.Clock.Spread(spread), true
}

// register logs in and registers.
func (l *Loop) register(ctx context.Context) error {
	login, err := l.Login()
	if err != nil {
		return err
	}
	registration, err := l.Registration()
	if err != nil {
		return err
	}
	if l.Wallet != nil {
		if registration.Wallet, err = l.Wallet(ctx); err != nil {
			return err
		}
	}
	session, err := l.Pool.Session(ctx, login)
	if err != nil {
		return err
	}
	registered, err := l.Pool.Register(ctx, session.Token, registration)
	if err != nil {
		return err
	}
	if registered.Worker != l.worker {
		l.Log.Info("registered", "worker", registered.Worker, "name", registration.Name)
	}
	now := l.Clock.Now()
	l.worker, l.token, l.told, l.measured = registered.Worker, registered.Token, registration, now
	l.renew = now.Add(time.Duration(registered.ExpiresIn) * time.Second * 9 / 10)
	return nil
}

func (l *Loop) heartbeat(ctx context.Context) (wire.Beat, error) {
	h := wire.Heartbeat{Reports: l.Keeper.Reports()}
	now, news := l.news()
	if news {
		h.Slots, h.Capabilities = now.Slots, &now.Capabilities
	}
	beat, err := l.Pool.Heartbeat(ctx, l.token, l.worker, h)
	if err != nil {
		return beat, err
	}
	// An inactive worker is not listened to: it tells its news until it is active.
	if news && beat.State != string(pool.Inactive) {
		l.told = now
	}
	l.sent = h.Reports
	return beat, nil
}

// news looks at the machine once in a while, and tells whether the pool should
// know: free disk moves all the time, so only by a tenth or more.
func (l *Loop) news() (wire.Registration, bool) {
	now := l.Clock.Now()
	if now.Sub(l.measured) < measureEvery {
		return wire.Registration{}, false
	}
	l.measured = now
	r, err := l.Registration()
	if err != nil {
		l.Log.Warn("the machine cannot be measured", "error", err)
		return wire.Registration{}, false
	}
	was, is := l.told.Capabilities, r.Capabilities
	moved := max(was.DiskMB, is.DiskMB) - min(was.DiskMB, is.DiskMB)
	return r, moved*10 > was.DiskMB || was.CPU != is.CPU || was.MemoryMB != is.MemoryMB || was.GPU != is.GPU || was.Docker != is.Docker
}

// failed gives how long to wait after a failure: as long as the pool asks for, and
// longer each time.
func (l *Loop) failed(ctx context.Context, what string, err error) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	pause := longestPause
	if l.failures < 6 {
		pause = firstPause << l.failures
	}
	l.failures++
	pause = pause/2 + l.Clock.Spread(pause/2)
	asked := min(client.RetryAfter(err), longestAsked)
	if asked > 0 {
		pause = asked + l.Clock.Spread(asked/10)
	}
	level := slog.LevelWarn
	if status := client.Status(err); status >= 400 && status < 500 && status != http.StatusTooManyRequests {
		level = slog.LevelError // waiting alone will not mend it
	}
	l.Log.Log(ctx, level, "the pool was not reached; runs go on", "doing", what, "error", err, "failed_calls", l.failures, "again_in", pause)
	return pause
}

// bye reports what the pool does not know yet. The answer's orders come too late.
func (l *Loop) bye() {
	if l.token == "" || slices.Equal(l.sent, l.Keeper.Reports()) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastCallTime)
	defer cancel()
	if _, err := l.heartbeat(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		l.Log.Warn("the last reports were not heard; they are repeated at the next start", "error", err)
	}
}
