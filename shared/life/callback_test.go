package life_test

import (
	"testing"

	"workerpool/shared/pool"
)

// back is a deal at trust 1 that wants its result called back; its worker is asked
// to bring it.
func back(t *testing.T) *deal {
	t.Helper()
	d := contributed(t, 1, right)
	d.Work.CallsBack = true
	d.Task.Status, d.Task.Consensus, d.Task.Digest = pool.TaskRevealing, hash(right), right
	d.put(1, right, pool.Proved)
	d.look()
	d.is(1, pool.Uploading)
	return d
}

// bring reports an upload with what to call back with.
func (d *deal) bring(digest pool.Digest, callback string) {
	d.t.Helper()
	r := pool.Report{Work: d.Work.ID, Attempt: 1, Says: pool.SaysUploaded, Digest: digest, File: d.row(1).File, Size: 9, Callback: callback}
	d.Report(d.now, 1, r, true, 1, d.p)
}

// The bytes are taken with the archive or not at all, and only as those of what was
// revealed.
func TestCallbackIsBrought(t *testing.T) {
	t.Parallel()
	d := back(t)
	d.bring(right, "")
	d.is(1, pool.Uploading)
	d.bring(wrong, "of another digest")
	d.is(1, pool.Uploading)
	if !d.Work.File.IsZero() || d.Work.Callback != "" {
		t.Errorf("%+v", d.Work)
	}
	d.bring(right, "data")
	d.is(1, pool.Closed)
	if d.Work.File.IsZero() || d.Work.Callback != "data" {
		t.Errorf("%+v", d.Work)
	}
	d.bring(right, "late") // said again it changes nothing
	d.look()
	if d.Work.File.IsZero() || d.Work.Callback != "data" {
		t.Errorf("%+v", d.Work)
	}
}

// Where no callback is wanted, none is kept.
func TestCallbackNotWanted(t *testing.T) {
	t.Parallel()
	d := back(t)
	d.Work.CallsBack = false
	d.bring(right, "data")
	if d.Work.File.IsZero() || d.Work.Callback != "" {
		t.Errorf("%+v", d.Work)
	}
}

// A reorganisation that takes the consensus back takes with it what was to be called
// back, and the next one brings its own.
func TestCallbackOfALostConsensus(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(d *deal){
		"no consensus": func(d *deal) {
			d.Task.Status, d.Task.Consensus, d.Task.Digest = pool.TaskActive, pool.Hash{}, pool.Digest{}
		},
		"another":        func(d *deal) { d.Task.Consensus, d.Task.Digest = hash(wrong), wrong },
		"never revealed": func(d *deal) { d.Task.Digest = pool.Digest{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := back(t)
			d.bring(right, "data")
			task := *d.Task
			change(d)
			d.look()
			if !d.Work.File.IsZero() || d.Work.Callback != "" {
				t.Errorf("%+v", d.Work)
			}
			d.Task = &task
			d.look()
			d.is(1, pool.Uploading)
			d.bring(right, "data")
			if d.Work.File.IsZero() || d.Work.Callback != "data" {
				t.Errorf("%+v", d.Work)
			}
		})
	}
}
