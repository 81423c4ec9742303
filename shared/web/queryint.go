package web

import (
	"net/url"
	"strconv"

	"workerpool/shared/pool"
)

// QueryInt reads a whole number of a query string, or gives the fallback when it
// is not there. Out of range or no number is pool.Invalid, naming it.
func QueryInt(values url.Values, name string, fallback, least, most int64) (int64, error) {
	text := values.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		return 0, pool.Refuse(pool.Invalid, name, "a whole number from %d to %d, here %q", least, most, text)
	}
	return n, nil
}
