//go:build linux

package executor

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

func init() {
	if len(os.Args) > 1 && os.Args[1] == "headless" {
		runtime.LockOSThread() // main is to run on the first thread
	}
}

// headless ends its first thread; the others stay.
func headless(pidFile string) {
	go stay(pidFile)
	for {
		if _, err := os.Stat(pidFile); err == nil {
			_, _, _ = syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
		}
		time.Sleep(time.Millisecond)
	}
}

// unmarked starts a daemon without the run's mark and waits until it is up.
const unmarked = `env -i setsid "$SELF" stay "$PWD/left" & while [ ! -e left ]; do :; done; `

func TestRunThatStopsItsSupervisorGainsNothing(t *testing.T) {
	t.Run("wall clock", func(t *testing.T) {
		t.Parallel()
		s := shell(t, unmarked+`kill -STOP $PPID; exec sleep 1000`)
		s.Limits.Wall = time.Second
		if out := run(t, s); out != (Outcome{Reason: "it ran longer than 1s"}) {
			t.Errorf("outcome %+v", out)
		}
		wantDead(t, s.Dir, "left")
	})
	t.Run("kill", func(t *testing.T) {
		t.Parallel()
		s := shell(t, unmarked+`kill -STOP $PPID; exec "$SELF" stay direct`)
		r, err := Start(s)
		if err != nil {
			t.Fatal(err)
		}
		await(t, filepath.Join(s.Dir, "direct"))
		r.Kill()
		if out, err := r.Wait(); err != nil || out != (Outcome{Killed: true}) {
			t.Errorf("outcome %+v, %v", out, err)
		}
		wantDead(t, s.Dir, "left", "direct")
	})
}

func TestRunThatKillsItsSupervisorCannotHide(t *testing.T) {
	// A second run goes on meanwhile: it is nobody's orphan.
	other, err := Start(shell(t, `exec "$SELF" stay up`))
	if err != nil {
		t.Fatal(err)
	}
	s := shell(t, unmarked+`kill -KILL $PPID; exec sleep 1000`)
	if out := run(t, s); !strings.HasPrefix(out.Reason, "the supervising process ended early: signal: killed") {
		t.Errorf("outcome %+v", out)
	}
	wantDead(t, s.Dir, "left")
	select {
	case <-other.killed:
		t.Error("the other run was ended")
	default:
	}
	if _, ok := look(other.process.Process.Pid); !ok {
		t.Error("the other run is dead")
	}
	other.Kill()
	if out, err := other.Wait(); err != nil || !out.Killed {
		t.Errorf("the other run: %+v, %v", out, err)
	}
}

func TestRunCannotSayThatItWasKilled(t *testing.T) {
	// Only root can write where the supervising process answers.
	s := shell(t, `echo '{"killed":true}' >/proc/$PPID/fd/1; exit 3`)
	if out := run(t, s); out.Killed || out.Reason == "" {
		t.Errorf("outcome %+v", out)
	}
}

func TestProcessWithoutItsFirstThreadIsKilled(t *testing.T) {
	s := shell(t, `"$SELF" headless pid & while [ ! -e pid ]; do :; done
		until grep -q "^State:.Z" /proc/$(cat pid)/status; do :; done`)
	if out := run(t, s); out != (Outcome{}) {
		t.Errorf("outcome %+v", out)
	}
	wantDead(t, s.Dir, "pid")
}

func TestDescendantsAreFoundByBothWays(t *testing.T) {
	s := shell(t, `"$SELF" stay child & "$SELF" leave left; exec "$SELF" stay direct`)
	r, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"child", "left", "direct"} {
		await(t, filepath.Join(s.Dir, name))
	}
	quick, err := below(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	pids := func(found []process) (pids []int) {
		for _, p := range found {
			pids = append(pids, p.pid)
		}
		slices.SortFunc(pids, cmp.Compare)
		return pids
	}
	if diff := gocmp.Diff(pids(within(os.Getpid(), all)), pids(quick)); diff != "" || len(quick) != 4 {
		t.Errorf("%d found: %s", len(quick), diff)
	}
	r.Kill()
	if _, err := r.Wait(); err != nil {
		t.Error(err)
	}
}

func TestSweepFindsStoppedSupervisorsAndWhatIsBelow(t *testing.T) {
	s := shell(t, unmarked+`kill -STOP $PPID; exec "$SELF" stay direct`)
	r, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	await(t, filepath.Join(s.Dir, "direct"))
	if n, err := Sweep(s.Mark); n < 3 || err != nil {
		t.Errorf("killed %d, %v", n, err)
	}
	wantDead(t, s.Dir, "left", "direct")
	if _, err := r.Wait(); err != nil {
		t.Error(err)
	}
}

func TestDiskBehindAShutDoorIsNotFree(t *testing.T) {
	s := shell(t, `mkdir shut; for i in 1 2 3; do head -c 1500k /dev/zero >shut/$i; done; chmod 0 shut`)
	t.Cleanup(func() { _ = os.Chmod(filepath.Join(s.Dir, "shut"), 0o700) })
	s.Limits.Scratch, s.Folder = 3<<20, s.Dir
	want := `its disk use cannot be measured: nobody may look into its folder "shut"`
	if os.Getuid() == 0 {
		want = "it uses 4 MiB of disk, 3 are allowed" // no door is shut to root
	}
	if out := run(t, s); out.Reason != want {
		t.Errorf("outcome %+v, want %q", out, want)
	}
}
