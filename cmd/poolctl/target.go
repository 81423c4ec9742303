package main

import (
	"fmt"
	"strconv"
	"strings"
)

// target is a work or a batch, as typed: work:ID or batch:ID.
type target struct {
	batch bool
	id    int64
}

// UnmarshalText reads one.
func (t *target) UnmarshalText(text []byte) error {
	kind, id, found := strings.Cut(string(text), ":")
	n, err := strconv.ParseInt(id, 10, 64)
	if !found || (kind != "work" && kind != "batch") || err != nil || n <= 0 {
		return fmt.Errorf("%q is neither work:ID nor batch:ID", text)
	}
	*t = target{batch: kind == "batch", id: n}
	return nil
}

func (t target) String() string {
	if t.batch {
		return "batch:" + strconv.FormatInt(t.id, 10)
	}
	return "work:" + strconv.FormatInt(t.id, 10)
}
