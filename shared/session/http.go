package session

import (
	"net/http"
	"time"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/web"
	"workerpool/shared/wire"
)

const (
	maxBody  = 4 << 10 // bytes
	maxLogin = 64      // bytes, as the books keep it
)

// Handler serves POST /session and, to whom known lets through, what is below it.
func (s *Session) Handler(known func(http.Handler) http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /session", web.Handler(s.post))
	mux.Handle("POST /session/password", known(web.Handler(s.password)))
	return web.Routes(mux)
}

func (s *Session) post(w http.ResponseWriter, r *http.Request) error {
	var in wire.Login
	if _, err := web.Decode(r, maxBody, &in); err != nil {
		return err
	}
	if in.Login == "" || len(in.Login) > maxLogin {
		return pool.Refuse(pool.Invalid, "login", "a login has 1 to %d bytes", maxLogin)
	}
	if in.Password == "" {
		return pool.Refuse(pool.Invalid, "password", "a password is needed")
	}
	token, who, err := s.LogIn(r.Context(), in.Login, in.Password)
	if err != nil {
		return err
	}
	return answer(w, token, who)
}

func answer(w http.ResponseWriter, token string, who pool.Account) error {
	return web.WriteJSON(w, http.StatusOK, wire.Session{
		Token: token, ExpiresIn: int64(auth.Lifetime / time.Second), Account: int64(who.ID), Role: string(who.Role),
	})
}
