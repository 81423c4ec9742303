//go:build linux

package turns

import (
	"context"
	"strings"
	"testing"

	"workerpool/cmd/worker/container"
	"workerpool/cmd/worker/executor"
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

// What the owner does not want is refused, whatever the pool offers, and whether
// it is a program or an image.
func TestUnwantedIsRefused(t *testing.T) {
	for _, c := range []struct {
		why      string
		rules    func(*Config)
		image    bool
		reason   string
		accepted bool
	}{
		{"another requester", func(c *Config) { c.Requesters.Allow = []string{"bob"} }, false, `nothing is computed here for requester "ann"`, false},
		{"denied requester", func(c *Config) { c.Requesters.Deny = []string{"a*"} }, false, `nothing is computed here for requester "ann"`, false},
		{"another program", func(c *Config) { c.Apps.Allow = []string{"a*"} }, false, `application "sh" is not wanted here`, false},
		{"denied program", func(c *Config) { c.Apps.Deny = []string{"sh"} }, false, `application "sh" is not wanted here`, false},
		{"denied image", func(c *Config) { c.Apps.Deny = []string{"a/*"} }, true, `application "a/b:1" is not wanted here`, false},
		{"wanted", func(c *Config) { c.Requesters.Allow, c.Apps.Allow = []string{"an*"}, []string{"sh"} }, false, "", true},
	} {
		e := &engine{run: func(context.Context, container.Spec) (executor.Outcome, error) {
			t.Errorf("%s: it was run", c.why)
			return executor.Outcome{}, nil
		}}
		k, _ := keep(t, func(to *Config) { to.Containers = e; c.rules(to) })
		offer := start(1, 1, "true")
		if c.image {
			offer = image(1, 1)
		}
		offer.Run.Requester = "ann"
		k.Obey([]wire.Instruction{offer})
		if c.accepted {
			until(t, k, 1, "reported")
			continue
		}
		if r := until(t, k, 1, "refused"); r.Reason != c.reason {
			t.Errorf("%s: %+v", c.why, r)
		}
	}
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
