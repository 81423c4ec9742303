package web_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"workerpool/shared/pool"
	"workerpool/shared/web"
)

func TestCountUnavailable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0}, {pool.Down("the database", errors.New("gone")), 1}, {pool.Refuse(pool.Conflict, "", "no"), 0}, {errors.New("a fault of ours"), 0},
	} {
		counted := 0
		next := web.Handler(func(w http.ResponseWriter, _ *http.Request) error {
			if c.err == nil {
				return web.WriteJSON(w, http.StatusOK, struct{}{})
			}
			return c.err
		})
		web.CountUnavailable(next, func() { counted++ }).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
		if counted != c.want {
			t.Errorf("%v: counted %d times, want %d", c.err, counted, c.want)
		}
	}
}
