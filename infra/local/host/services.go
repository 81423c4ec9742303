package host

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssqs "github.com/aws/aws-sdk-go-v2/service/sqs"

	"workerpool/infra/local/s3"
	"workerpool/infra/local/secrets"
	"workerpool/infra/local/sqs"
	"workerpool/infra/local/template"
)

// services is what the functions call and where.
type services struct {
	accessKey string
	secretKey string
	endpoints map[string]string // AWS_ENDPOINT_URL_... variables
	sqs       *awssqs.Client
	queues    map[string]queue // by ARN
}

// keys are those that the stand-ins know.
func (s *services) keys() map[string]string { return map[string]string{s.accessKey: s.secretKey} }

type queue struct {
	url        string
	visibility time.Duration
}

// startServices starts the stand-ins, makes what the template holds in them, and
// binds it.
func (h *Host) startServices() (*services, error) {
	// Drawn anew, so that no other program of this machine comes in by a known key.
	s := &services{accessKey: "local" + rand.Text(), secretKey: rand.Text() + rand.Text(), endpoints: map[string]string{}, queues: map[string]queue{}}
	if err := h.startQueues(s); err != nil {
		return nil, err
	}
	if err := h.startBuckets(s); err != nil {
		return nil, err
	}
	if err := h.startSecrets(s); err != nil {
		return nil, err
	}
	return s, nil
}

func (h *Host) startQueues(s *services) error {
	url, err := h.serveHere(sqs.New(sqs.Config{Region: template.Region, Keys: s.keys(), Faults: h.faults}))
	if err != nil {
		return err
	}
	s.endpoints["AWS_ENDPOINT_URL_SQS"] = url
	s.sqs = awssqs.New(awssqs.Options{
		Region: template.Region, BaseEndpoint: aws.String(url),
		Credentials: credentials.NewStaticCredentialsProvider(s.accessKey, s.secretKey, ""),
	})
	queues, err := h.template.Queues()
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	// Those without dead letters first: a redrive must name a queue that exists.
	for _, redriven := range []bool{false, true} {
		for _, q := range queues {
			if (q.DeadLetterARN != "") != redriven {
				continue
			}
			out, err := s.sqs.CreateQueue(context.Background(), &awssqs.CreateQueueInput{QueueName: aws.String(q.Name), Attributes: q.Attributes})
			if err != nil {
				return fmt.Errorf("creating the queue %s: %w", q.ID, err)
			}
			h.template.Bind(map[string]string{q.ID: aws.ToString(out.QueueUrl)})
			s.queues[q.ARN] = queue{url: aws.ToString(out.QueueUrl), visibility: q.Visibility}
		}
	}
	return nil
}

func (h *Host) startBuckets(s *services) error {
	buckets, err := h.template.Buckets()
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	var names []string
	for _, b := range buckets {
		names = append(names, b.Name)
	}
	store, err := s3.New(s3.Config{
		Dir: filepath.Join(h.config.Dir, "s3"), Buckets: names, Keys: s.keys(),
		Region: template.Region, Faults: h.faults,
	})
	if err != nil {
		return fmt.Errorf("opening the buckets: %w", err)
	}
	s.endpoints["AWS_ENDPOINT_URL_S3"], err = h.serveHere(store)
	return err
}

// startSecrets writes the secrets that were given, and the database's as RDS would
// make it. A secret goes by its logical id, so that the file can be read.
func (h *Host) startSecrets(s *services) error {
	declared, err := h.template.Secrets()
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	known := map[string]bool{AdminSecret: true}
	for _, secret := range declared {
		known[secret.ID] = true
		h.template.Bind(map[string]string{secret.ID: secret.ID})
	}
	for id := range h.config.Secrets {
		if !known[id] {
			return fmt.Errorf("the template has no secret %s", id)
		}
	}
	admin, err := json.Marshal(map[string]string{"username": h.config.Database.AdminUser, "password": h.config.Database.AdminPassword})
	if err != nil {
		return fmt.Errorf("encoding the database's secret: %w", err)
	}
	contents := map[string]string{}
	maps.Copy(contents, h.config.Secrets)
	contents[AdminSecret] = string(admin)
	file := filepath.Join(h.config.Dir, SecretsFile)
	if err := writeSecrets(file, contents); err != nil {
		return err
	}
	h.template.Bind(map[string]string{"Database.Outputs.Endpoint": h.config.Database.Addr, "Database.Outputs.AdminSecret": AdminSecret})
	s.endpoints["AWS_ENDPOINT_URL_SECRETS_MANAGER"], err = h.serveHere(secrets.New(secrets.Config{File: file, Region: template.Region, Keys: s.keys(), Faults: h.faults}))
	return err
}

// writeSecrets replaces the file as a whole; only its owner may read it.
func writeSecrets(file string, contents map[string]string) error {
	text, err := json.MarshalIndent(contents, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the secrets: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("making the folder of the secrets: %w", err)
	}
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the secrets: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("writing the secrets: %w", err)
	}
	return nil
}
