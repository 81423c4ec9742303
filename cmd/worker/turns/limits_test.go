//go:build linux

package turns

import (
	"strings"
	"testing"

	"workerpool/shared/wire"
)

// The disk's share is what it is when a run begins, not when the worker began; and
// inputs do not count.
func TestDiskShareIsMeasuredForEachRun(t *testing.T) {
	shares := []int64{1 << 20, 3 << 20}
	k, b := keep(t, func(c *Config) {
		c.Slots = 1
		c.Scratch = func() (int64, error) {
			share := shares[0]
			shares = shares[1:]
			return share, nil
		}
	})
	script := `for i in 1 2; do head -c 900k /dev/zero >"$TMPDIR/$i"; done`
	k.Obey([]wire.Instruction{start(1, 1, script)})
	for k.Reports()[0].State != "failed" {
		<-k.Changed()
	}
	if r := k.Reports()[0]; r.Reason != "it uses 1 MiB of disk, 1 are allowed" {
		t.Errorf("%+v", r)
	}
	b.large = 3 << 20
	k.Obey([]wire.Instruction{start(2, 1, script, b.largeInput())})
	until(t, k, 2, "reported")
}

// A download that stalls ends with the run's time.
func TestStalledDownloadFreesTheSlot(t *testing.T) {
	k, b := keep(t, func(c *Config) { c.Slots = 1 })
	offer := start(1, 1, "true", b.input("stall/a"))
	offer.Run.Inputs[0].Name = "a"
	offer.Run.RunLimitS = 1
	k.Obey([]wire.Instruction{offer})
	for k.Reports()[0].State != "failed" {
		<-k.Changed()
	}
	if r := k.Reports()[0]; !strings.HasPrefix(r.Reason, `input "a": its time was over`) {
		t.Errorf("%+v", r)
	}
	k.Obey([]wire.Instruction{start(2, 1, "true")})
	until(t, k, 2, "reported")
}
