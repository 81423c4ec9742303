package mutants

var mutants = []mutant{
	// pool
	{"pool/ids.go", "const batchBits = 14", "const batchBits = 13", "ids of two batches overlap"},
	{"pool/ids.go", "	if len(text) != 2*len(d) {", "	if len(text) < 2*len(d) {", "a longer text passes for a digest"},
	{"pool/worker.go", "return max(0, w.Slots-w.Open)", "return w.Slots - w.Open", "a worker with fewer slots than turns has negative room"},
	{"pool/assignment.go", "a.Started || (a.State != Expired && a.State != Refused)", "a.State != Expired && a.State != Refused", "a lost run frees its owner for another"},
	{"pool/assignment.go", "	Reported:   {Uploading, Closed, Superseded},", "	Reported:   {Uploading, Closed, Expired, Superseded},", "a committed digest may expire"},
	{"pool/errors.go", "	if errors.As(err, &e) {", "	if errors.As(err, &e) && err == error(e) {", "a wrapped error loses its kind"},

	{"pool/files.go", "fmt.Sprintf(\"results/%d/%s.tar\", work, digest)", "fmt.Sprintf(\"results/%d.tar\", work)", "a later upload overwrites the agreed one"},

	// consensus
	{"consensus/consensus.go", "	return left.Cmp(right) > 0", "	return left.Cmp(right) >= 0", "equality decides"},
	{"consensus/consensus.go", "total: big.NewInt(1)}", "total: new(big.Int)}", "the total begins at 0"},
	{"consensus/consensus.go", "t.total.Add(t.total, new(big.Int).Sub(grown, group))", "t.total.Add(t.total, grown)", "a grown group counts twice in the total"},
	{"consensus/consensus.go", "	trust = max(trust, 1)", "	trust = max(trust, 2)", "trust 1 asks for a majority"},
	{"consensus/consensus.go", "g.Cmp(best) > 0 {", "g.Cmp(best) < 0 || best.Sign() == 0 {", "the lightest group is counted on"},
	{"consensus/consensus.go", "	for range pending {", "	for range max(0, pending-1) {", "one pending contribution is forgotten"},
	{"consensus/consensus.go", "const APIWeight = 2", "const APIWeight = 3", "one worker decides at trust 3"},

	// life
	{"life/life.go", "l.Rows[i].Attempt != r.Attempt", "l.Rows[i].Attempt < r.Attempt", "a zombie speaks for the present attempt"},
	{"life/life.go", "|| l.Work.State.Ended() {\n		return\n	}\n	row := &l.Rows[i]", "{\n		return\n	}\n	row := &l.Rows[i]", "an ended work hears reports"},
	{"life/life.go", "row.State != pool.Uploading || r.Digest != row.Digest", "row.State != pool.Uploading", "bytes of another digest are done"},
	{"life/life.go", "		if stored {", "		if stored || true {", "done without the object"},
	{"life/life.go", "!l.Work.State.Open() || l.lacks() < 1 || l.ownerTaken(i)", "!l.Work.State.Open() || l.lacks() < 1", "an owner runs twice"},
	{"life/life.go", "!l.Work.State.Open() || l.lacks() < 1 ||", "!l.Work.State.Open() ||", "a returning worker is one more than wanted"},
	{"life/life.go", "		if !row.Digest.IsZero() && row.Digest != r.Digest {", "		if false {", "a worker commits twice"},
	{"life/life.go", "	if !now.Before(l.Work.Deadline) {", "	if now.After(l.Work.Deadline) {", "a work lives at its deadline"},
	{"life/rows.go", "	lost := !now.Before(row.Until)", "	lost := now.After(row.Until)", "a lease holds at its end"},
	{"life/life.go", "		case row.State == pool.Reported:\n			tally.Add(row.Digest, consensus.APIWeight)\n		}\n	}\n	switch {", "		}\n	}\n	switch {", "what was reported does not count for what is wanted"},
	{"life/life.go", "min(l.lacks(), p.MaxRuns-l.runs())", "l.lacks()", "more assignments than allowed"},
	{"life/life.go", "	case open == 0:", "	default:", "several make again what was agreed"},
	{"life/life.go", "row.State == pool.Reported && row.Digest != l.Work.Digest {", "false {", "one who disagreed may upload"},
	{"life/life.go", "		l.Work.Digest = winner", "		winner = l.Rows[0].Digest\n		l.Work.Digest = winner", "the first row's digest wins"},
	{"life/life.go", "		if row := &l.Rows[i]; row.State.Open() {", "		if row := &l.Rows[i]; row.State == pool.Offered {", "runs go on after the agreement"},
	{"life/life.go", "		if row.State == pool.Reported && now.Before(row.Until) {", "		if row.State == pool.Reported {", "a lost worker is made the uploader"},
	{"life/life.go", "able[draw.IntN(len(able))]", "able[min(0, draw.IntN(2))]", "the uploader is always the same"},
	{"life/life.go", "row.State == pool.Broken && row.Digest.IsZero()", "row.State == pool.Broken", "a failed upload counts as a failed run"},
	{"life/life.go", "l.runs() >= p.MaxRuns && !held", "l.runs() >= p.MaxRuns", "a work fails while its last turn runs"},
	{"life/life.go", "		case row.State.Held():", "		case row.State.Open():", "an ended work leaves its uploader at work"},
	{"life/life.go", "l.agreeing() < 2 {", "l.agreeing() < 3 {", "the digest goes with its uploaders"},
	{"life/life.go", "strings.ToValidUTF8(text[:maxReason], \"\")", "text[:maxReason]", "a reason is cut inside a character"},
	{"life/life.go", "		if row.Started || row.State.Open() {", "		if row.State != \"\" {", "refusals use up a work's tries"},
	{"life/life.go", "l.agreeing() < 2 {", "false {", "one worker alone binds all others"},
	{"life/life.go", "failures >= p.MaxFailures", "failures > p.MaxFailures", "one failed run too many"},

	// placement
	{"placement/decide.go", "|| t.State == pool.Refused && t.Attempt >= p.MaxRefusals)", ")", "the same worker is asked for ever"},
	{"placement/decide.go", "		turns[w.ID] = pool.Assignment{Worker: w.ID, Attempt: last.Attempt + 1, State: pool.Offered}\n", "		_ = last\n", "one worker twice at a work"},
	{"placement/decide.go", "		if work.Trust > 1 && t.HoldsOwner() {", "		if work.Trust > 2 && t.HoldsOwner() {", "one owner twice at trust 2"},
	{"placement/decide.go", "cmp.Compare(len(a.able), len(b.able))", "cmp.Compare(len(b.able), len(a.able))", "scarce workers are spent on what others could do"},
	{"placement/decide.go", "urn.draw(draw, work.Trust > 1, barred)", "urn.draw(draw, false, barred)", "owners with many workers are drawn more often"},
	{"placement/eligible.go", "w.State == pool.Active && ", "", "a draining worker gets works"},
	{"placement/eligible.go", "c.DiskMB >= d.DiskMB", "c.DiskMB >= 0", "the disk does not count"},
	{"placement/eligible.go", "(c.MaxRun == 0 || d.RunLimit <= c.MaxRun)", "(c.MaxRun == 0 || d.RunLimit < c.MaxRun)", "a limit excludes itself"},
	{"placement/urn.go", "	u.free[i]--", "	u.free[i] -= 0", "a slot is given twice"},
	{"placement/urn.go", "f.tree[next] <= n {", "f.tree[next] < n {", "the draw finds the neighbour"},
	{"placement/instruct.go", "		if wanted[r.Work] != r.Attempt {", "		if wanted[r.Work] == 0 {", "an old attempt is not stopped"},
	{"placement/rank.go", "	pool.Low:  -time.Hour,", "	pool.Low:  time.Hour,", "low goes before normal"},

	// wire
	{"wire/submit.go", "in.Size > maxFile:", "in.Size >= maxFile:", "a file of the largest size is refused"},
	{"wire/submit.go", "strings.HasPrefix(k, \"IEXEC_\") || strings.HasPrefix(k, \"LD_\")", "strings.HasPrefix(k, \"IEXEC_\")", "a requester loads libraries into the worker's program"},
	{"wire/submit.go", "	return slices.Compact(slices.Sorted(slices.Values(tags))), nil", "	return slices.Compact(slices.Clone(tags)), nil", "equal demands make two classes"},
	{"wire/submit.go", "|| in.SHA256 != strings.ToLower(in.SHA256)", "", "one file under two spellings"},
	{"wire/spec.go", "	maps.Copy(spec.Env, t.Env)\n	maps.Copy(spec.Env, i.Env)", "	maps.Copy(spec.Env, i.Env)\n	maps.Copy(spec.Env, t.Env)", "the template's env wins over the work's own"},
	{"wire/heartbeat.go", "		seen[r.Work] = true", "		_ = seen", "a work is reported twice in one call"},
	{"wire/heartbeat.go", "err != nil || digest.IsZero() {", "err != nil {", "no digest passes for a result"},
	{"wire/work.go", "			if w.State.Ended() {\n				row.SHA256", "			{\n				row.SHA256", "digests are told while consensus is open"},
}
