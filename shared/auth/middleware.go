package auth

import (
	"net/http"
	"strings"

	"workerpool/shared/pool"
	"workerpool/shared/web"
)

// Middleware lets a request pass to next only with a good bearer token that is not
// revoked, and puts its caller into the context (web.CallerOf). Any other request
// is answered 401 with a challenge (RFC 6750), or 503 when tokens cannot be
// verified just now.
func Middleware(tokens *Tokens, revoked *Revoked, next http.Handler) http.Handler {
	return web.Handler(func(w http.ResponseWriter, r *http.Request) error {
		header := r.Header.Get("Authorization")
		if header == "" {
			w.Header().Set("WWW-Authenticate", `Bearer realm="pool"`)
			return pool.Refuse(pool.Unauthenticated, "", "a bearer token is needed: POST /session gives one")
		}
		scheme, token, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "Bearer") || len(r.Header.Values("Authorization")) > 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="pool", error="invalid_request"`)
			return pool.Refuse(pool.Unauthenticated, "", "the Authorization header must be one bearer token")
		}
		caller, err := tokens.Verify(r.Context(), token)
		if err == nil {
			err = revoked.Check(r.Context(), caller)
		}
		if err != nil {
			if pool.KindOf(err) == pool.Unauthenticated {
				w.Header().Set("WWW-Authenticate", `Bearer realm="pool", error="invalid_token"`)
			}
			return err
		}
		next.ServeHTTP(w, r.WithContext(web.WithCaller(r.Context(), caller)))
		return nil
	})
}
