package wire_test

import (
	"strings"
	"testing"
	"time"

	"workerpool/shared/pool"
	"workerpool/shared/wire"
)

func TestReportLimits(t *testing.T) {
	t.Parallel()
	running := wire.Report{Work: 1, Attempt: 1, State: "running"}
	reported := wire.Report{Work: 1, Attempt: 1, State: "reported", SHA256: sha(1), Size: 1}
	uploaded := wire.Report{Work: 1, Attempt: 1, State: "uploaded", SHA256: sha(1), Size: 1}
	failed := wire.Report{Work: 1, Attempt: 1, State: "failed", Reason: "exit 1"}
	with := func(r wire.Report, change func(*wire.Report)) wire.Report { change(&r); return r }
	for name, c := range map[string]struct {
		report wire.Report
		field  string
	}{
		"running":             {running, ""},
		"reported":            {reported, ""},
		"uploading":           {with(reported, func(r *wire.Report) { r.State = "uploading" }), ""},
		"uploaded":            {with(reported, func(r *wire.Report) { r.State = "uploaded" }), ""},
		"failed":              {failed, ""},
		"refused":             {with(failed, func(r *wire.Report) { r.State = "refused" }), ""},
		"no work":             {with(running, func(r *wire.Report) { r.Work = 0 }), "at.work"},
		"work below":          {with(running, func(r *wire.Report) { r.Work = -1 }), "at.work"},
		"no attempt":          {with(running, func(r *wire.Report) { r.Attempt = 0 }), "at.attempt"},
		"attempt below":       {with(running, func(r *wire.Report) { r.Attempt = -1 }), "at.attempt"},
		"no state":            {with(running, func(r *wire.Report) { r.State = "" }), "at.state"},
		"unknown state":       {with(running, func(r *wire.Report) { r.State = "closed" }), "at.state"},
		"upper state":         {with(running, func(r *wire.Report) { r.State = "Running" }), "at.state"},
		"no digest":           {with(reported, func(r *wire.Report) { r.SHA256 = "" }), "at.sha256"},
		"zero digest":         {with(reported, func(r *wire.Report) { r.SHA256 = strings.Repeat("0", 64) }), "at.sha256"},
		"short digest":        {with(reported, func(r *wire.Report) { r.SHA256 = r.SHA256[1:] }), "at.sha256"},
		"empty result":        {with(reported, func(r *wire.Report) { r.Size = 0 }), ""},
		"result below empty":  {with(reported, func(r *wire.Report) { r.Size = -1 }), "at.size"},
		"largest result":      {with(reported, func(r *wire.Report) { r.Size = maxFile }), ""},
		"larger result":       {with(reported, func(r *wire.Report) { r.Size = maxFile + 1 }), "at.size"},
		"larger upload":       {with(reported, func(r *wire.Report) { r.State, r.Size = "uploaded", maxFile+1 }), "at.size"},
		"digest of a run":     {with(running, func(r *wire.Report) { r.SHA256 = sha(1) }), "at.sha256"},
		"size of a run":       {with(running, func(r *wire.Report) { r.Size = 1 }), "at.sha256"},
		"digest of a failure": {with(failed, func(r *wire.Report) { r.SHA256 = sha(1) }), "at.sha256"},
		"failed, no reason":   {with(failed, func(r *wire.Report) { r.Reason = "" }), "at.reason"},
		"refused, no reason":  {with(failed, func(r *wire.Report) { r.State, r.Reason = "refused", "" }), "at.reason"},
		"called back":         {with(uploaded, func(r *wire.Report) { r.Callback = "0x00" + strings.Repeat("Ff", pool.MaxCallback-1) }), ""},
		"too much":            {with(uploaded, func(r *wire.Report) { r.Callback = "0x" + strings.Repeat("ff", pool.MaxCallback+1) }), "at.callback"},
		"called with nothing": {with(uploaded, func(r *wire.Report) { r.Callback = "0x" }), "at.callback"},
		"half a byte":         {with(uploaded, func(r *wire.Report) { r.Callback = "0x1" }), "at.callback"},
		"no hexadecimal":      {with(uploaded, func(r *wire.Report) { r.Callback = "1234" }), "at.callback"},
		"called too early":    {with(reported, func(r *wire.Report) { r.Callback = "0x00" }), "at.callback"},
		"called for a run":    {with(running, func(r *wire.Report) { r.Callback = "0x00" }), "at.callback"},
		"longest reason":      {with(failed, func(r *wire.Report) { r.Reason = strings.Repeat("a", 500) }), ""},
		"longer reason":       {with(failed, func(r *wire.Report) { r.Reason = strings.Repeat("a", 501) }), "at.reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.report.Parse("at", maxFile)
			if field := fieldOf(t, err); field != c.field {
				t.Fatalf("refused for %q (%v), want %q", field, err, c.field)
			}
			if err != nil {
				if got != (pool.Report{}) {
					t.Errorf("refused and yet %+v", got)
				}
				return
			}
			want := pool.Report{Work: 1, Attempt: 1, Says: pool.ReportState(c.report.State), Size: c.report.Size, Reason: c.report.Reason}
			if c.report.SHA256 != "" {
				want.Digest, _ = pool.ParseDigest(c.report.SHA256)
			}
			if c.report.Callback != "" {
				want.Callback = "\x00" + strings.Repeat("\xff", pool.MaxCallback-1)
			}
			if got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
		})
	}
}

func TestHeartbeatLimits(t *testing.T) {
	t.Parallel()
	reports := func(n int) []wire.Report {
		return many(n, func(i int) wire.Report { return wire.Report{Work: int64(i + 1), Attempt: 1, State: "running"} })
	}
	for name, c := range map[string]struct {
		beat  wire.Heartbeat
		field string
	}{
		"empty":         {wire.Heartbeat{}, ""},
		"most slots":    {wire.Heartbeat{Slots: 256}, ""},
		"more slots":    {wire.Heartbeat{Slots: 257}, "slots"},
		"slots below":   {wire.Heartbeat{Slots: -1}, "slots"},
		"most reports":  {wire.Heartbeat{Reports: reports(1_000)}, ""},
		"more reports":  {wire.Heartbeat{Reports: reports(1_001)}, "reports"},
		"a work twice":  {wire.Heartbeat{Reports: append(reports(2), wire.Report{Work: 1, Attempt: 2, State: "running"})}, "reports[2].work"},
		"wrong report":  {wire.Heartbeat{Reports: append(reports(2), wire.Report{Work: 9, State: "running"})}, "reports[2].attempt"},
		"capabilities":  {wire.Heartbeat{Capabilities: &wire.Capabilities{CPU: 1}}, ""},
		"wrong ability": {wire.Heartbeat{Capabilities: &wire.Capabilities{CPU: -1}}, "capabilities.cpu"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, abilities, err := c.beat.Parse(maxFile)
			if field := fieldOf(t, err); field != c.field {
				t.Fatalf("refused for %q (%v), want %q", field, err, c.field)
			}
			if err != nil {
				if got != nil || abilities != nil {
					t.Error("refused and yet there is something to act upon")
				}
				return
			}
			if len(got) != len(c.beat.Reports) || (abilities != nil) != (c.beat.Capabilities != nil) {
				t.Errorf("%d reports, capabilities %v", len(got), abilities)
			}
			for i, r := range got {
				if int64(r.Work) != c.beat.Reports[i].Work {
					t.Errorf("report %d is of work %d", i, r.Work)
				}
			}
		})
	}
}

func TestRegistrationLimits(t *testing.T) {
	t.Parallel()
	right := wire.Registration{Name: "w-1", Key: sha(7), Slots: 1}
	with := func(change func(*wire.Registration)) wire.Registration { r := right; change(&r); return r }
	able := func(change func(*wire.Capabilities)) wire.Registration {
		return with(func(r *wire.Registration) { change(&r.Capabilities) })
	}
	for name, c := range map[string]struct {
		registration wire.Registration
		field        string
	}{
		"as it is":        {right, ""},
		"no name":         {with(func(r *wire.Registration) { r.Name = "" }), "name"},
		"longest name":    {with(func(r *wire.Registration) { r.Name = strings.Repeat("n", 64) }), ""},
		"longer name":     {with(func(r *wire.Registration) { r.Name = strings.Repeat("n", 65) }), "name"},
		"name with slash": {with(func(r *wire.Registration) { r.Name = "a/b" }), "name"},
		"no key":          {with(func(r *wire.Registration) { r.Key = "" }), "key"},
		"zero key":        {with(func(r *wire.Registration) { r.Key = strings.Repeat("0", 64) }), "key"},
		"short key":       {with(func(r *wire.Registration) { r.Key = r.Key[1:] }), "key"},
		"no slots":        {with(func(r *wire.Registration) { r.Slots = 0 }), "slots"},
		"most slots":      {with(func(r *wire.Registration) { r.Slots = 256 }), ""},
		"more slots":      {with(func(r *wire.Registration) { r.Slots = 257 }), "slots"},
		"most cpu":        {able(func(c *wire.Capabilities) { c.CPU = 4096 }), ""},
		"more cpu":        {able(func(c *wire.Capabilities) { c.CPU = 4097 }), "capabilities.cpu"},
		"memory below":    {able(func(c *wire.Capabilities) { c.MemoryMB = -1 }), "capabilities.memory_mb"},
		"disk below":      {able(func(c *wire.Capabilities) { c.DiskMB = -1 }), "capabilities.disk_mb"},
		"more gpu":        {able(func(c *wire.Capabilities) { c.GPU = 1025 }), "capabilities.gpu"},
		"upper os":        {able(func(c *wire.Capabilities) { c.OS = "Linux" }), "capabilities.os"},
		"upper arch":      {able(func(c *wire.Capabilities) { c.Arch = "AMD64" }), "capabilities.arch"},
		"more tags":       {able(func(c *wire.Capabilities) { c.Tags = words(33) }), "capabilities.tags"},
		"wrong tag":       {able(func(c *wire.Capabilities) { c.Tags = []string{"a", "B"} }), "capabilities.tags[1]"},
		"more tee":        {able(func(c *wire.Capabilities) { c.TEE = words(33) }), "capabilities.tee"},
		"wrong tee":       {able(func(c *wire.Capabilities) { c.TEE = []string{"SGX"} }), "capabilities.tee[0]"},
		"most programs":   {able(func(c *wire.Capabilities) { c.Programs = words(256) }), ""},
		"more programs":   {able(func(c *wire.Capabilities) { c.Programs = words(257) }), "capabilities.programs"},
		"path as program": {able(func(c *wire.Capabilities) { c.Programs = []string{"a", "/bin/sh"} }), "capabilities.programs[1]"},
		"longest max run": {able(func(c *wire.Capabilities) { c.MaxRunS = 1 << 31 }), ""},
		"longer max run":  {able(func(c *wire.Capabilities) { c.MaxRunS = 1<<31 + 1 }), "capabilities.max_run_s"},
		"max run below":   {able(func(c *wire.Capabilities) { c.MaxRunS = -1 }), "capabilities.max_run_s"},

		"most rules":       {able(func(c *wire.Capabilities) { c.Apps = wire.Rules{Allow: words(64), Deny: words(64)} }), ""},
		"more allowed":     {able(func(c *wire.Capabilities) { c.Apps.Allow = words(65) }), "capabilities.apps.allow"},
		"more denied":      {able(func(c *wire.Capabilities) { c.Requesters.Deny = words(65) }), "capabilities.requesters.deny"},
		"longest rule":     {able(func(c *wire.Capabilities) { c.Apps.Deny = []string{"*", strings.Repeat("r", 254) + "*"} }), ""},
		"longer rule":      {able(func(c *wire.Capabilities) { c.Apps.Deny = []string{strings.Repeat("r", 256)} }), "capabilities.apps.deny[0]"},
		"* in the middle":  {able(func(c *wire.Capabilities) { c.Apps.Allow = []string{"a", "a*b"} }), "capabilities.apps.allow[1]"},
		"* twice":          {able(func(c *wire.Capabilities) { c.Requesters.Allow = []string{"a**"} }), "capabilities.requesters.allow[0]"},
		"empty rule":       {able(func(c *wire.Capabilities) { c.Requesters.Deny = []string{""} }), "capabilities.requesters.deny[0]"},
		"rule with spaces": {able(func(c *wire.Capabilities) { c.Requesters.Deny = []string{"a b"} }), "capabilities.requesters.deny[0]"},

		"version":           {able(func(c *wire.Capabilities) { c.Version = "1.2.3" }), ""},
		"half a version":    {able(func(c *wire.Capabilities) { c.Version = "1.2" }), "capabilities.version"},
		"version with word": {able(func(c *wire.Capabilities) { c.Version = "1.2.3-rc1" }), "capabilities.version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := c.registration.Parse()
			if field := fieldOf(t, err); field != c.field {
				t.Errorf("refused for %q (%v), want %q", field, err, c.field)
			}
		})
	}
}

func TestCapabilitiesAreOrdered(t *testing.T) {
	t.Parallel()
	c, err := wire.Capabilities{
		TEE: []string{"tdx", "sgx", "tdx"}, Tags: []string{"b", "a", "b"}, Programs: []string{"z", "y", "z"}, MaxRunS: 90,
	}.Parse("at")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(c.TEE, " ") + "|" + strings.Join(c.Tags, " ") + "|" + strings.Join(c.Programs, " "); got != "sgx tdx|a b|y z" {
		t.Errorf("%s", got)
	}
	r, err := wire.Capabilities{Requesters: wire.Rules{Allow: []string{"b", "a*", "b"}, Deny: []string{}}}.Parse("at")
	if err != nil || strings.Join(r.Requesters.Allow, " ") != "a* b" || r.Requesters.Deny != nil {
		t.Errorf("%+v, %v", r.Requesters, err)
	}
	if c.MaxRun != 90*time.Second {
		t.Errorf("max run %v", c.MaxRun)
	}
}
