package submit_test

import (
	"context"
	"io"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/pooltest"
	"workerpool/shared/submit"
	"workerpool/shared/telemetry"
	"workerpool/shared/wire"
)

// aged is a bucket in which time has passed.
type aged struct {
	submit.Files
	age time.Duration
}

func (a aged) Head(ctx context.Context, key string) (pool.Object, bool, error) {
	object, found, err := a.Files.Head(ctx, key)
	object.Age += a.age
	return object, found, err
}

// What the bucket may forget before the work ends is to be brought anew.
func TestOldInputsAreBroughtAnew(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var batch wire.Accepted
	b.post("", withInputs("old")).Into(b.World, &batch)
	b.bring(batch.Batch, "old")
	meter := telemetry.NewMeter(telemetry.MeterConfig{Out: io.Discard, Pool: pooltest.Pool, Function: "submit", Now: time.Now})
	for _, c := range []struct {
		days, missing int
	}{{15, 1}, {13, 0}} {
		flow := submit.New(submit.Config{Books: b.Books, Files: aged{b.Bucket, time.Duration(c.days) * 24 * time.Hour}, Bell: b.Queue, Meter: meter})
		missing, err := flow.Check(t.Context(), b.ann.ID, pool.BatchID(batch.Batch), pool.Trace{})
		if err != nil || missing != c.missing {
			t.Errorf("%d days old: %d missing, %v", c.days, missing, err)
		}
	}
}
