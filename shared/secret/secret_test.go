package secret_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/pool"
	"workerpool/shared/secret"
)

// endpoint speaks as much of Secrets Manager's protocol as one operation needs.
type endpoint struct {
	t      *testing.T
	value  string // "" = no such secret
	broken bool
	asked  int
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in struct{ SecretId string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.SecretId != "token" {
		e.t.Errorf("asked for %q: %v", in.SecretId, err)
	}
	if got := r.Header.Get("X-Amz-Target"); got != "secretsmanager.GetSecretValue" {
		e.t.Errorf("operation %q", got)
	}
	e.asked++
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if e.broken || e.value == "" {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"ResourceNotFoundException","Message":"not here"}`))
		return
	}
	if err := json.NewEncoder(w).Encode(map[string]string{"Name": in.SecretId, "SecretString": e.value}); err != nil {
		e.t.Error(err)
	}
}

func open(t *testing.T, e *endpoint, fault secret.Fault) (*secret.Secrets, *time.Time) {
	t.Helper()
	e.t = t
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", server.URL)
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "local")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "local")
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	s, err := secret.Open(context.Background(), secret.Config{Now: func() time.Time { return now }, Fault: fault})
	if err != nil {
		t.Fatal(err)
	}
	return s, &now
}

func TestGetKeepsForFiveMinutes(t *testing.T) {
	e := &endpoint{value: `{"current":"a","port":3306}`}
	s, now := open(t, e, nil)
	get := func(want string, asked int) {
		t.Helper()
		got, err := s.Get(context.Background(), "token")
		if diff := cmp.Diff(map[string]string{"current": want}, got); err != nil || diff != "" || e.asked != asked {
			t.Errorf("%v, asked %d times: %s", err, e.asked, diff)
		}
		got["current"] = "spoiled by the caller"
	}
	get("a", 1)
	e.value = `{"current":"b"}`
	*now = now.Add(5*time.Minute - 1)
	get("a", 1)
	*now = now.Add(1)
	get("b", 2)
}

func TestRefreshAsksAtMostOnceInTenSeconds(t *testing.T) {
	e := &endpoint{value: `{"current":"a"}`}
	s, now := open(t, e, nil)
	for _, step := range []struct {
		after time.Duration
		asked int
	}{{0, 1}, {9 * time.Second, 1}, {time.Second, 2}, {time.Second, 2}} {
		*now = now.Add(step.after)
		if _, err := s.Refresh(context.Background(), "token"); err != nil || e.asked != step.asked {
			t.Errorf("%s later: asked %d times, want %d; %v", step.after, e.asked, step.asked, err)
		}
	}
}

func TestOutageIsBridgedForAnHour(t *testing.T) {
	e := &endpoint{value: `{"current":"a"}`}
	s, now := open(t, e, nil)
	ctx := context.Background()
	if _, err := s.Get(ctx, "token"); err != nil {
		t.Fatal(err)
	}
	e.broken = true
	for _, step := range []struct {
		after time.Duration
		asked int
		good  bool
	}{
		{6 * time.Minute, 2, true}, {time.Second, 2, true}, {10 * time.Second, 3, true},
		{53 * time.Minute, 4, true}, {time.Minute, 5, false}, {time.Second, 6, false},
	} {
		*now = now.Add(step.after)
		got, err := s.Get(ctx, "token")
		if (err == nil) != step.good || e.asked != step.asked || (step.good && got["current"] != "a") {
			t.Errorf("%s later: %v, %v, asked %d times, want %d", step.after, got, err, e.asked, step.asked)
		}
		if !step.good && pool.KindOf(err) != pool.Unavailable {
			t.Errorf("kind of %v", err)
		}
	}
	e.broken = false
	if _, err := s.Get(ctx, "token"); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}

func TestUnreadableSecrets(t *testing.T) {
	for _, value := range []string{"", "hunter2", `["hunter2"]`, `"hunter2"`, `{"a":hunter2}`, `null`} {
		s, _ := open(t, &endpoint{value: value}, nil)
		_, err := s.Get(context.Background(), "token")
		if pool.KindOf(err) != pool.Unavailable || strings.Contains(err.Error(), "hunter") || strings.Contains(err.Error(), "'h'") {
			t.Errorf("%q: %v", value, err)
		}
	}
}

func TestFaults(t *testing.T) {
	broken := errors.New("cut")
	for _, half := range []bool{false, true} {
		e := &endpoint{value: `{"current":"a"}`}
		s, _ := open(t, e, func(operation string, done bool) error {
			if operation == "GetSecretValue" && done == half {
				return broken
			}
			return nil
		})
		_, err := s.Get(context.Background(), "token")
		if !errors.Is(err, broken) || pool.KindOf(err) != pool.Unavailable || (e.asked == 1) != half {
			t.Errorf("done %v: %v, asked %d times", half, err, e.asked)
		}
	}
}
