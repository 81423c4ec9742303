package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image/png"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"workerpool/cmd/mandelbrot/picture"
	"workerpool/shared/wire"
)

const firstWork = 3 << 14

// scripted is a pool of three honest workers and one that lies. It takes one
// batch, computes each tile when it is asked for, and says of itself nothing else
// than the demonstration needs.
type scripted struct {
	fooled bool          // one lie was agreed upon
	failed bool          // one work fails
	quiet  bool          // the fourth worker is honest
	joined chan struct{} // not nil: the fourth is the demonstration's own; closed when it came

	mu     sync.Mutex
	poster picture.Poster
	asked  int
	fault  string // what the demonstration did wrong
}

func (p *scripted) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { reply(w, wire.Health{Status: "ok"}) })
	mux.HandleFunc("POST /session", p.session)
	mux.HandleFunc("POST /works", p.submit)
	mux.HandleFunc("GET /batches/3", p.batch)
	mux.HandleFunc("GET /works/{id}", p.work)
	mux.HandleFunc("GET /works/{id}/result", p.result)
	mux.HandleFunc("GET /workers", p.workers)
	mux.HandleFunc("POST /workers", func(http.ResponseWriter, *http.Request) { close(p.joined) })
	mux.HandleFunc("GET /bytes/{index}", func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(p.archive(number(r, "index"))) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		mux.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // a lost answer fails the test
}

func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil {
		return -1
	}
	return n
}

func (p *scripted) session(w http.ResponseWriter, r *http.Request) {
	var in wire.Login
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Login != "operator" || in.Password != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	reply(w, wire.Session{Token: "t", ExpiresIn: 3600})
}

func (p *scripted) submit(w http.ResponseWriter, r *http.Request) {
	var in wire.Submission
	err := json.NewDecoder(r.Body).Decode(&in)
	args := in.Template.Args
	if err == nil && len(args) == 4 && args[0] == "-size" && args[2] == "-n" {
		size, sizeErr := strconv.Atoi(args[1])
		tiles, tilesErr := strconv.Atoi(args[3])
		p.poster, err = picture.Poster{Size: size, Tiles: tiles}, errors.Join(sizeErr, tilesErr)
	}
	if err != nil || len(in.Items) != p.poster.Count() || in.Template.App != (wire.App{Type: "process", Name: "mandelbrot"}) ||
		in.Template.Trust != 3 || r.Header.Get("Idempotency-Key") == "" || r.Header.Get("Authorization") != "Bearer t" {
		p.fault = "the submission is not as wanted"
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	reply(w, wire.Accepted{Batch: 3, FirstWork: firstWork, LastWork: int64(firstWork + len(in.Items) - 1), Works: len(in.Items)})
}

func (p *scripted) batch(w http.ResponseWriter, _ *http.Request) {
	n := p.poster.Count()
	states := []map[string]int{{"waiting": n}, {"running": n - 1, "done": 1}, {"done": n}}[min(p.asked, 2)]
	if p.failed && p.asked >= 2 {
		states = map[string]int{"done": n - 1, "failed": 1}
	}
	p.asked++
	reply(w, wire.Batch{ID: 3, FirstWork: firstWork, LastWork: int64(firstWork + n - 1), Works: n, States: states})
}

// work has a lie of worker 4 at each even place.
func (p *scripted) work(w http.ResponseWriter, r *http.Request) {
	id := number(r, "id")
	out := wire.Work{ID: int64(id), State: "done", SHA256: "aa", Assignments: []wire.Assignment{
		{Worker: 1, Attempt: 1, State: "closed", SHA256: "aa"}, {Worker: 2, Attempt: 1, State: "closed", SHA256: "aa"},
		{Worker: 3, Attempt: 1, State: "superseded"},
	}}
	if id%2 == 0 && !p.quiet {
		out.Assignments = append(out.Assignments, wire.Assignment{Worker: 4, Attempt: 1, State: "closed", SHA256: "bb"})
	}
	if p.failed && id == firstWork {
		out.State, out.Reason = "failed", "3 runs failed"
	}
	reply(w, out)
}

func (p *scripted) result(w http.ResponseWriter, r *http.Request) {
	index := number(r, "id") - firstWork
	text := p.archive(index)
	sum := sha256.Sum256(text)
	reply(w, wire.Result{
		Work: int64(firstWork + index), URL: "http://" + r.Host + "/bytes/" + strconv.Itoa(index), SHA256: hex.EncodeToString(sum[:]), Size: int64(len(text)),
		Expires: time.Now().Add(time.Minute),
	})
}

// archive is the result of a place; the fooled pool's third is a lie.
func (p *scripted) archive(index int) []byte {
	style := picture.Honest
	if p.fooled && index == 2 {
		style = picture.Lie
	}
	var tile, out bytes.Buffer
	if err := png.Encode(&tile, p.poster.Tile(index, style)); err != nil {
		panic(err)
	}
	z := zip.NewWriter(&out)
	file, err := z.Create("tile.png")
	if err == nil {
		_, err = io.Copy(file, &tile)
	}
	if err = errors.Join(err, z.Close()); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func (p *scripted) workers(w http.ResponseWriter, _ *http.Request) {
	var out wire.Workers
	for id := range int64(4) {
		worker := wire.Worker{ID: id + 1, Name: "local-" + strconv.FormatInt(id+1, 10), Live: true, Agreed: 100, Disagreed: 50}
		if id == 3 && p.joined != nil {
			worker.Name = liar
			select {
			case <-p.joined:
			default:
				worker.Live = false // it is known from another day
			}
		}
		if p.asked > 0 && id < 2 {
			worker.Agreed += p.poster.Count()
		}
		if p.asked > 0 && id == 3 && !p.quiet {
			worker.Disagreed += p.poster.Count() / 2
		}
		out.Workers = append(out.Workers, worker)
	}
	out.Workers = append(out.Workers, wire.Worker{ID: 9, Name: strings.Repeat("gone", 2)})
	reply(w, out)
}
