package web

import "net/http"

// CountUnavailable calls count for every answer 503 of next: something that the
// pool depends on was away.
func CountUnavailable(next http.Handler, count func()) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		watched := &watch{ResponseWriter: w}
		next.ServeHTTP(watched, r)
		if watched.status == http.StatusServiceUnavailable {
			count()
		}
	})
}

// watch remembers the status of an answer.
type watch struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status on its way.
func (w *watch) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
