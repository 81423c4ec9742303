package store

import (
	"encoding/hex"

	"workerpool/shared/life"
	"workerpool/shared/pool"
)

// What deals' results are called back with is written apart from the rest of works
// and actions: most have none, and a table of it in a statement that all works pass
// would make each of them slower.

// writeBrought adds the statement that stores what results are called back with,
// where that has changed.
func writeBrought(b *statements, before []locked, after []life.Life) {
	type row struct {
		Work     int64  `json:"work"`
		Callback string `json:"callback,omitempty"`
	}
	var rows []row
	for i, l := range after {
		if l.Work.Callback != before[i].Work.Callback {
			rows = append(rows, row{int64(l.Work.ID), hex.EncodeToString([]byte(l.Work.Callback))})
		}
	}
	if len(rows) > 0 {
		b.must(int64(len(rows)), `UPDATE JSON_TABLE(?, '$[*]' COLUMNS (work BIGINT PATH '$.work', callback MEDIUMTEXT PATH '$.callback')) j
			STRAIGHT_JOIN work w ON w.id = j.work SET w.callback = UNHEX(j.callback)`, list(rows))
	}
}

// writeToCall adds the statement that stores what finalizations are to call back
// with, where they are.
func writeToCall(b *statements, wanted []pool.Action) {
	type row struct {
		Work     int64  `json:"work"`
		Kind     string `json:"kind"`
		Round    int    `json:"round"`
		Callback string `json:"callback"`
	}
	var rows []row
	for _, a := range wanted {
		if len(a.Callback) > 0 {
			rows = append(rows, row{int64(a.Work), string(a.Kind), a.Round, hex.EncodeToString(a.Callback)})
		}
	}
	if len(rows) > 0 {
		b.add(`UPDATE JSON_TABLE(?, '$[*]' COLUMNS (work BIGINT PATH '$.work', kind VARCHAR(10) PATH '$.kind', round INT PATH '$.round', callback MEDIUMTEXT PATH '$.callback')) j
			STRAIGHT_JOIN action a ON a.work_id = j.work AND a.kind = j.kind AND a.round = j.round SET a.callback = UNHEX(j.callback) WHERE a.state = 'wanted'`, list(rows))
	}
}
