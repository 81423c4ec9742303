package pooltest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"workerpool/shared/auth"
	"workerpool/shared/pool"
	"workerpool/shared/store/storetest"
	"workerpool/shared/telemetry"
	"workerpool/shared/wire"
)

// Password is everybody's.
const Password = "seven owls in a garden"

var passwordHash = sync.OnceValues(func() (string, error) { return auth.HashPassword(Password) })

// Someone is an account with its token.
type Someone struct {
	ID    pool.AccountID
	Role  pool.Role
	Login string
	Token string
}

// Account makes an account of a role.
func (w *World) Account(role pool.Role, login string) Someone { return w.account(role, login, false) }

// SharedAccount makes a worker account that many owners use.
func (w *World) SharedAccount(login string) Someone { return w.account(pool.RoleWorker, login, true) }

func (w *World) account(role pool.Role, login string, shared bool) Someone {
	w.t.Helper()
	hash, err := passwordHash()
	if err == nil {
		err = w.Books.PutAccount(w.t.Context(), pool.Account{Login: login, Role: role, Shared: shared, PasswordHash: hash})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.Books.AccountByLogin(w.t.Context(), login)
	if err != nil {
		w.t.Fatal(err)
	}
	s := Someone{ID: a.ID, Role: role, Login: login}
	s.Token = w.Token(w.Tokens, pool.Caller{Account: a.ID, Role: role, Login: login, Generation: a.Generation})
	return s
}

// Token issues a token.
func (w *World) Token(tokens *auth.Tokens, caller pool.Caller) string {
	w.t.Helper()
	token, err := tokens.Issue(w.t.Context(), caller)
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// Login gives the token that POST /session gives.
func (w *World) Login(login string) string {
	w.t.Helper()
	var out wire.Session
	w.Call("", "POST", "/session", wire.Login{Login: login, Password: Password}).Into(w, &out)
	return out.Token
}

// Answer is what a request brought.
type Answer struct {
	Status  int
	Header  http.Header
	Body    []byte
	Problem wire.Problem // when Status is 400 or more
}

// Call makes a request. body is nil, the bytes themselves as a string, or a
// value that is sent as JSON.
func (w *World) Call(token, method, path string, body any, headers ...string) Answer {
	w.t.Helper()
	text, raw := body.(string)
	if !raw && body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(encoded)
	}
	r := httptest.NewRequestWithContext(telemetry.WithRequestID(w.t.Context(), fmt.Sprint("request-", w.serial.Add(1))), method, path, strings.NewReader(text))
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	out := httptest.NewRecorder()
	w.handler.ServeHTTP(out, r)
	a := Answer{Status: out.Code, Header: out.Header(), Body: out.Body.Bytes()}
	if a.Status >= http.StatusBadRequest && a.Header.Get("Content-Type") == "application/problem+json" {
		if err := json.Unmarshal(a.Body, &a.Problem); err != nil {
			w.t.Fatalf("%s %s: %s: %v", method, path, a.Body, err)
		}
	}
	return a
}

// Into reads a good answer and fails the test at any other.
func (a Answer) Into(w *World, into any) {
	w.t.Helper()
	if a.Status >= http.StatusBadRequest {
		w.t.Fatalf("status %d: %s", a.Status, a.Body)
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		w.t.Fatalf("%s: %v", a.Body, err)
	}
}

// Submission is one of works that need nothing but a worker of World.Worker.
func Submission(works, trust int) wire.Submission {
	return wire.Submission{
		Template: wire.Template{App: wire.App{Type: "process", Name: storetest.Program}, Trust: trust}, Items: make([]wire.Item, works),
	}
}

// Submit submits works and gives their batch.
func (w *World) Submit(who Someone, works, trust int) wire.Accepted {
	w.t.Helper()
	var out wire.Accepted
	w.Call(who.Token, "POST", "/works", Submission(works, trust)).Into(w, &out)
	return out
}

// Work reads a work with its turns, past ones too.
func (w *World) Work(id int64) (pool.Work, []pool.Assignment) {
	w.t.Helper()
	work, turns, err := w.Books.Work(w.t.Context(), 0, pool.WorkID(id))
	if err != nil {
		w.t.Fatal(err)
	}
	return work, turns
}

// Worker is a registered worker with its own token.
type Worker struct {
	Name  string
	ID    int64
	Token string
}

// Registration is what a worker of a name sends; its key follows from the name.
func Registration(name string, slots int) wire.Registration {
	return wire.Registration{
		Name: name, Key: fmt.Sprintf("%x", sha256.Sum256([]byte(name))), Slots: slots,
		Capabilities: wire.Capabilities{Programs: []string{storetest.Program}},
	}
}

// Worker registers a worker with slots and lets its first heartbeat be heard.
func (w *World) Worker(who Someone, name string, slots int) Worker {
	w.t.Helper()
	var out wire.Registered
	w.Call(who.Token, "POST", "/workers", Registration(name, slots)).Into(w, &out)
	worker := Worker{Name: name, ID: out.Worker, Token: out.Token}
	w.Books.Exec(w.t, "UPDATE worker SET quota = slots WHERE id = ?", out.Worker) // it has proved itself before
	w.Beat(worker)
	return worker
}

// Beat is one heartbeat with its answer.
func (w *World) Beat(worker Worker, reports ...wire.Report) wire.Beat {
	w.t.Helper()
	var out wire.Beat
	w.TryBeat(worker, reports...).Into(w, &out)
	return out
}

// TryBeat is one heartbeat, perhaps in vain.
func (w *World) TryBeat(worker Worker, reports ...wire.Report) Answer {
	w.t.Helper()
	return w.Call(worker.Token, "POST", fmt.Sprintf("/workers/%d/heartbeat", worker.ID), wire.Heartbeat{Reports: reports})
}

// Says makes the report of a worker that brings a result, whose bytes count from
// "reported" on, or, of "failed" and "refused", a reason.
func Says(work int64, attempt int, state, what string) wire.Report {
	r := wire.Report{Work: work, Attempt: attempt, State: state}
	switch pool.ReportState(state) {
	case pool.SaysReported, pool.SaysContributed, pool.SaysRevealed, pool.SaysUploading, pool.SaysUploaded:
		r.SHA256, r.Size = fmt.Sprintf("%x", sha256.Sum256([]byte(what))), int64(len(what))
	case pool.SaysFailed, pool.SaysRefused:
		r.Reason = what
	case pool.SaysRunning:
	}
	return r
}

// Upload sends bytes by a link and gives the status.
func (w *World) Upload(link *wire.Link, content string) int {
	w.t.Helper()
	if link == nil {
		w.t.Fatal("there is no link")
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range link.Fields {
		if err := form.WriteField(name, value); err != nil {
			w.t.Fatal(err)
		}
	}
	part, err := form.CreateFormFile("file", "file")
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.Post(link.URL, form.FormDataContentType(), &body)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// Fetch reads what a link leads to.
func (w *World) Fetch(link string) string {
	w.t.Helper()
	answer, err := http.Get(link)
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		w.t.Fatalf("fetching: %d, %v: %s", answer.StatusCode, err, content)
	}
	return string(content)
}
