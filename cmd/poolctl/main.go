// Command poolctl is for requesters and operators of the pool: it submits works,
// waits for them, fetches their results, and steers workers. It owns what a person
// types and reads; it must not hold any rule of the pool.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"workerpool/cmd/poolctl/accounts"
	"workerpool/cmd/poolctl/explain"
	"workerpool/cmd/poolctl/onchain"
	"workerpool/cmd/poolctl/progress"
)

const description = `Submit works to a pool, fetch their results, steer its workers.

Things are named work:ID and batch:ID. Every command acts at once, on what is named and on nothing else; but those of chain that spend, commit money or rebuild books only tell what they would do, unless --yes is given.

Exit codes: 0 done; 1 failed; 2 wrong usage; 3 log in (again); 4 a work that was waited for has no result; ` +
	`5 the pool was not reachable or busy, the same command may help later; 130 interrupted.`

// What the program exits with.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitLogin       = 3
	exitNoResult    = 4
	exitAgain       = 5
	exitInterrupted = 130
)

// commandLine is all that may be typed.
type commandLine struct {
	Pool         string `help:"The pool's URL; left out it is that of the session." placeholder:"URL" env:"POOLCTL_POOL"`
	SessionFile  string `name:"session" help:"Where the session is kept; left out it is in your configuration folder." placeholder:"FILE" type:"path" env:"POOLCTL_SESSION"`
	LoginName    string `name:"login" help:"Log in under this name when there is no session." placeholder:"NAME" env:"POOLCTL_LOGIN"`
	PasswordFile string `help:"File whose first line is the password; otherwise it is POOLCTL_PASSWORD, or asked for." placeholder:"FILE" type:"path" env:"POOLCTL_PASSWORD_FILE"`
	JSON         bool   `name:"json" help:"Answer in JSON."`

	Login    loginCommand    `cmd:"" help:"Log in and keep the session (mode 0600)."`
	Submit   submitCommand   `cmd:"" help:"Submit a batch of works, upload its inputs."`
	Works    worksCommand    `cmd:"" help:"List works."`
	Show     showCommand     `cmd:"" help:"Show works with their assignments, or batches."`
	Wait     waitCommand     `cmd:"" help:"Wait until works or batches have ended."`
	Results  resultsCommand  `cmd:"" help:"Fetch results of works or of whole batches, each into a folder of its own."`
	Cancel   cancelCommand   `cmd:"" help:"Cancel works, or all works of batches that have not ended."`
	Workers  workersCommand  `cmd:"" help:"List workers."`
	Drain    drainCommand    `cmd:"" help:"Let workers finish what they hold and give them no more; undone by activate."`
	Activate activateCommand `cmd:"" help:"Give workers assignments again."`
	PoolPage poolCommand     `cmd:"" name:"pool" help:"Show the pool, which needs no session, or change its state."`

	Deactivate deactivateCommand `cmd:"" help:"Make workers stop all they have, which goes to others, and give them no more; undone by activate."`
	Explain    explain.Commands  `cmd:"" help:"Tell why a work waits, why a worker has nothing, how an assignment came about."`
	Share      shareCommand      `cmd:"" help:"Show or change what a requester gets of the pool."`

	Account accounts.Commands `cmd:"" help:"Make, show and steer accounts; change a password."`

	Chain onchain.Commands `cmd:"" help:"Act on the chain with the wallet of the pool's owner."`
}

// world is what the program is run in.
type world struct {
	in           io.Reader
	out, errs    io.Writer
	terminal     bool                   // errs is one
	readPassword func() (string, error) // from a terminal, unseen; nil = there is none
	env          func(string) string
	configDir    func() (string, error)
	now          func() time.Time
	wait         func(context.Context, time.Duration) error
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	w := world{
		in: os.Stdin, out: os.Stdout, errs: os.Stderr, terminal: term.IsTerminal(int(os.Stderr.Fd())),
		env: os.Getenv, configDir: os.UserConfigDir, now: time.Now, wait: progress.ByClock,
	}
	if term.IsTerminal(int(os.Stdin.Fd())) {
		w.readPassword = func() (string, error) {
			text, err := term.ReadPassword(int(os.Stdin.Fd()))
			return string(text), err
		}
	}
	code := run(ctx, os.Args[1:], w)
	stop()
	os.Exit(code)
}

// helped is thrown by kong's Exit, which is expected not to return.
type helped int

func run(ctx context.Context, args []string, w world) (code int) {
	var line commandLine
	defer func() {
		switch r := recover().(type) {
		case nil:
		case helped:
			code = int(r)
		default:
			panic(r)
		}
	}()
	parser, err := kong.New(&line, kong.Name("poolctl"), kong.Description(description), kong.UsageOnError(), kong.Writers(w.out, w.errs),
		kong.Exit(func(code int) { panic(helped(code)) }))
	if err != nil {
		fmt.Fprintln(w.errs, "poolctl:", err)
		return exitFailed
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(w.errs, "poolctl:", err)
		fmt.Fprintln(w.errs, `"poolctl --help" tells more`)
		return exitUsage
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	p := &poolctl{line: line, world: w}
	chosen.BindTo(console{p}, (*onchain.Console)(nil))
	chosen.BindTo(console{p}, (*accounts.Console)(nil))
	chosen.BindTo(console{p}, (*explain.Console)(nil))
	return tell(w, chosen.Run(p))
}

// errUsage marks what kong cannot see to be wrong.
var errUsage = onchain.ErrUsage

// errNoResult marks works that ended without a result.
var errNoResult = errors.New("no result")

// tell says what went wrong, if anything, and what to exit with.
func tell(w world, err error) int {
	if err == nil {
		return exitDone
	}
	code := exitCode(err)
	fmt.Fprintln(w.errs, "poolctl:", err)
	if code == exitLogin {
		fmt.Fprintln(w.errs, `log in again: "poolctl login", with --pool and --login unless you have a session`)
	}
	return code
}
