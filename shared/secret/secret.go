// Package secret is the door to Secrets Manager. It owns the fetching and the
// short keeping of secrets, which are JSON objects of texts. It must not log a
// value or put one into an error.
package secret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"workerpool/shared/pool"
	"workerpool/shared/telemetry"
)

const (
	keep    = 5 * time.Minute  // a value is used so long before it is fetched again
	atMost  = time.Hour        // and so long when it cannot be
	pause   = 10 * time.Second // between two fetches of one secret, whoever asks
	timeout = 3 * time.Second  // of one fetch with its retries
)

// Fault lets a test disturb a call: it is asked before the call (done false)
// and after it succeeded (done true); an error takes the place of the answer.
type Fault func(operation string, done bool) error

// Config is what Secrets need.
type Config struct {
	Now   func() time.Time
	Fault Fault // nil outside tests
}

// Secrets fetches secrets and keeps them for some minutes. It may be used by
// several goroutines at once.
type Secrets struct {
	client *secretsmanager.Client
	now    func() time.Time
	fault  Fault

	mu   sync.Mutex
	held map[string]held
}

type held struct {
	values  map[string]string // nil before the first success
	fetched time.Time
	tried   time.Time
}

// Open makes Secrets; region, credentials and endpoint come from the standard
// AWS variables. Nothing is fetched yet.
func Open(ctx context.Context, c Config) (*Secrets, error) {
	aws, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the secrets: %w", err)
	}
	return &Secrets{client: secretsmanager.NewFromConfig(aws), now: c.Now, fault: c.Fault, held: map[string]held{}}, nil
}

// Get gives the texts of a secret, at most five minutes old; when it cannot be
// fetched just now, at most an hour old. The error is pool.Unavailable.
func (s *Secrets) Get(ctx context.Context, id string) (map[string]string, error) {
	return s.get(ctx, id, keep)
}

// Refresh is Get for somebody to whom the value at hand proved to be too old.
// It fetches at most once in ten seconds.
func (s *Secrets) Refresh(ctx context.Context, id string) (map[string]string, error) {
	return s.get(ctx, id, pause)
}

// User gives, whenever it is asked, the database user that a secret of the form
// {"username", "password"} holds.
func (s *Secrets) User(id string) func(ctx context.Context) (user, password string, err error) {
	return func(ctx context.Context) (string, string, error) {
		values, err := s.Get(ctx, id)
		return values["username"], values["password"], err
	}
}

func (s *Secrets) get(ctx context.Context, id string, good time.Duration) (map[string]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, at := s.now(), s.held[id]
	age := now.Sub(at.fetched)
	usable := at.values != nil && age < atMost
	if usable && (age < good || now.Sub(at.tried) < pause) {
		return maps.Clone(at.values), nil
	}
	values, err := s.fetch(ctx, id)
	if err != nil {
		at.tried = now
		s.held[id] = at
		if usable {
			slog.WarnContext(ctx, "secret not fetched, the one at hand is used on", telemetry.KeyError, err)
			return maps.Clone(at.values), nil
		}
		return nil, pool.Down("the secret store", err)
	}
	s.held[id] = held{values: values, fetched: now, tried: now}
	return maps.Clone(values), nil
}

func (s *Secrets) fetch(ctx context.Context, id string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := s.disturb("GetSecretValue", false); err != nil {
		return nil, err
	}
	out, err := s.client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(id)})
	if err != nil {
		return nil, fmt.Errorf("getting secret %s: %w", id, err)
	}
	if err := s.disturb("GetSecretValue", true); err != nil {
		return nil, err
	}
	var all map[string]any
	if json.Unmarshal([]byte(aws.ToString(out.SecretString)), &all) != nil || all == nil {
		return nil, fmt.Errorf("reading secret %s: %w", id, errForm)
	}
	texts := map[string]string{}
	for name, value := range all {
		if text, ok := value.(string); ok {
			texts[name] = text
		}
	}
	return texts, nil
}

// errForm says no more: the text of a parser's error may repeat what it read.
var errForm = errors.New("it is not a JSON object")

func (s *Secrets) disturb(operation string, done bool) error {
	if s.fault == nil {
		return nil
	}
	return s.fault(operation, done)
}
