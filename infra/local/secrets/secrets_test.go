package secrets_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/smithy-go"

	"workerpool/infra/local/faults"
	"workerpool/infra/local/secrets"
)

func open(t *testing.T, file string, board *faults.Board) *secretsmanager.Client {
	t.Helper()
	h := httptest.NewServer(secrets.New(secrets.Config{File: file, Faults: board}))
	t.Cleanup(h.Close)
	return secretsmanager.New(secretsmanager.Options{
		Region: "us-east-1", BaseEndpoint: &h.URL, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.json")
	api := open(t, file, nil)
	get := func(id string) (*secretsmanager.GetSecretValueOutput, error) {
		return api.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
	}
	var absent *types.ResourceNotFoundException
	if _, err := get("pool/tokens"); !errors.As(err, &absent) {
		t.Errorf("get before there is a file: %v", err)
	}
	_, err := api.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("pool/tokens"), SecretString: aws.String("x")})
	if !errors.As(err, &absent) {
		t.Errorf("put of an unknown secret: %v", err)
	}
	create := &secretsmanager.CreateSecretInput{Name: aws.String("pool/tokens"), SecretString: aws.String(`{"current":"one"}`)}
	made, err := api.CreateSecret(t.Context(), create)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	var exists *types.ResourceExistsException
	if _, err := api.CreateSecret(t.Context(), create); !errors.As(err, &exists) {
		t.Errorf("create again: %v", err)
	}
	for _, id := range []string{"pool/tokens", *made.ARN} {
		if got, err := get(id); err != nil || *got.SecretString != `{"current":"one"}` || *got.Name != "pool/tokens" || *got.VersionId != *made.VersionId {
			t.Errorf("get %s: %+v, %v", id, got, err)
		}
	}
	put, err := api.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: made.ARN, SecretString: aws.String("two")})
	if err != nil || *put.VersionId == *made.VersionId {
		t.Fatalf("put: %+v, %v", put, err)
	}
	_, err = api.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: made.ARN, VersionStage: aws.String("AWSPREVIOUS")})
	if !errors.As(err, &absent) {
		t.Errorf("get the previous version: %v", err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of secrets: %v, %v", info, err)
	}

	api = open(t, file, nil) // a restart
	if got, err := get("pool/tokens"); err != nil || *got.SecretString != "two" {
		t.Errorf("get after a restart: %+v, %v", got, err)
	}
	if err := os.WriteFile(file, []byte(`{"by-hand":"three"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := get("by-hand"); err != nil || *got.SecretString != "three" {
		t.Errorf("get what was written by hand: %+v, %v", got, err)
	}
	if err := os.WriteFile(file, []byte(`{"by-hand":`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = get("by-hand")
	wantCode(t, err, "InternalServiceError")
	_, err = api.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("by-hand")})
	wantCode(t, err, "UnknownOperationException")
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func TestFaults(t *testing.T) {
	board := faults.New(faults.Config{})
	api := open(t, filepath.Join(t.TempDir(), "secrets.json"), board)
	err := board.Set(1,
		faults.Rule{Target: "secrets:GetSecretValue", Kind: faults.Fail, Count: 1, Status: 503},
		faults.Rule{Target: "secrets:CreateSecret", Kind: faults.FailAfter, Count: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("a"), SecretString: aws.String("x")})
	wantCode(t, err, "InternalServiceError")
	in := &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")}
	_, err = api.GetSecretValue(t.Context(), in)
	wantCode(t, err, "InternalServiceError")
	if got, err := api.GetSecretValue(t.Context(), in); err != nil || *got.SecretString != "x" {
		t.Errorf("get after the faults: %+v, %v", got, err)
	}
}

func TestOnlyWhoHasTheKeyMayAsk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secrets.json")
	if err := os.WriteFile(file, []byte(`{"a":"x"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(secrets.New(secrets.Config{File: file, Keys: map[string]string{"local": "local-secret"}}))
	defer h.Close()
	for secret, code := range map[string]string{"local-secret": "", "guessed": "SignatureDoesNotMatch"} {
		api := secretsmanager.New(secretsmanager.Options{
			Region: "us-east-1", BaseEndpoint: &h.URL, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider("local", secret, ""),
		})
		got, err := api.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("a")})
		if code != "" {
			wantCode(t, err, code)
		} else if err != nil || *got.SecretString != "x" {
			t.Errorf("with the key: %+v, %v", got, err)
		}
	}
}
