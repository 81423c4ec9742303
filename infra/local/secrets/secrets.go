// Package secrets is a development stand-in of AWS Secrets Manager: a JSON file
// of {"<name>": "<secret string>"}, read anew by every call so that it can be
// edited by hand, behind the JSON protocol of the AWS clients.
//
// It must not be deployed: it encrypts nothing and keeps only the current version
// of a secret.
package secrets

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"

	"workerpool/infra/local/faults"
	"workerpool/infra/local/sigv4"
)

const arnPrefix = "arn:aws:secretsmanager:us-east-1:000000000000:secret:"

// Config holds what a Vault needs. File is required; it may be absent at first.
type Config struct {
	File   string
	Region string // default us-east-1
	// Keys has the secret of each access key; nil = anyone may call, signed or not.
	Keys   map[string]string
	Faults *faults.Board // default: no faults
}

// Vault is the stand-in: an http.Handler safe for concurrent use.
type Vault struct {
	file     string
	verifier *sigv4.Verifier // nil = nothing is checked
	faults   *faults.Board
	mu       sync.Mutex // the file is read, changed and replaced as one
}

// New makes the stand-in and declares its fault targets: one
// "secrets:<Operation>" per operation.
func New(c Config) *Vault {
	v := &Vault{file: c.File, faults: c.Faults}
	if c.Keys != nil {
		v.verifier = &sigv4.Verifier{Keys: c.Keys, Region: cmp.Or(c.Region, "us-east-1"), Service: "secretsmanager"}
	}
	if v.faults == nil {
		v.faults = faults.New(faults.Config{})
	}
	for name := range operations {
		v.faults.Declare(nil, "secrets:"+name)
	}
	return v
}

// input is that of all operations; Create calls the secret's id a name.
type input struct {
	SecretID     string `json:"SecretId"`
	Name         string
	SecretString *string
	VersionID    string `json:"VersionId"`
	VersionStage string
}

// output describes the current version of a secret.
type output struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId"`
	VersionStages []string `json:",omitempty"`
	SecretString  string   `json:",omitempty"`
}

var operations = map[string]func(*Vault, input) (output, error){
	"GetSecretValue": (*Vault).get,
	"PutSecretValue": func(v *Vault, in input) (output, error) { return v.set(in.SecretID, in.SecretString, true) },
	"CreateSecret":   func(v *Vault, in input) (output, error) { return v.set(in.Name, in.SecretString, false) },
}

// ServeHTTP carries out one call of the JSON protocol, whatever its path.
func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "secretsmanager.")
	do, known := operations[name]
	if r.Method != http.MethodPost || !ours || !known {
		answer(w, nil, &fault{http.StatusBadRequest, "UnknownOperationException", "no operation of this stand-in"})
		return
	}
	var in input
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil && v.verifier != nil {
		if err := v.verifier.Check(r, body); err != nil {
			answer(w, nil, err)
			return
		}
	}
	if err == nil {
		err = json.Unmarshal(body, &in)
	}
	if err != nil {
		answer(w, nil, &fault{http.StatusBadRequest, "SerializationException", err.Error()})
		return
	}
	v.faults.Serve(w, r, "secrets:"+name, func(w http.ResponseWriter, _ faults.Fault) {
		out, err := do(v, in)
		answer(w, out, err)
	}, func(w http.ResponseWriter, status int) {
		answer(w, nil, &fault{status, "InternalServiceError", "a fault was switched on"})
	})
}

// fault is an error of the protocol.
type fault struct {
	status        int
	code, message string
}

func (f *fault) Error() string { return f.code + ": " + f.message }

func answer(w http.ResponseWriter, out any, err error) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", rand.Text())
	status := http.StatusOK
	if err != nil {
		f := &fault{http.StatusInternalServerError, "InternalServiceError", err.Error()}
		_ = errors.As(err, &f) // otherwise it stays internal
		var unsigned *sigv4.Error
		if errors.As(err, &unsigned) {
			f = &fault{unsigned.Status, unsigned.Code, unsigned.Message}
		}
		status, out = f.status, map[string]string{"__type": f.code, "message": f.message}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // the caller may be gone; there is nobody to tell
}

// tag is the part of an ARN behind the name, the same for the same name.
func tag(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:3])
}

// nameOf is the name in an id, which is a name or an ARN.
func nameOf(id string) string {
	rest, isARN := strings.CutPrefix(id, arnPrefix)
	if !isARN {
		return id
	}
	if i := strings.LastIndexByte(rest, '-'); i >= 0 && rest[i+1:] == tag(rest[:i]) {
		return rest[:i]
	}
	return rest
}

// describe makes the version id of the value, so that equal values have one.
func describe(name, value string) output {
	sum := sha256.Sum256([]byte(name + "\x00" + value))
	h := hex.EncodeToString(sum[:16])
	id := h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	return output{ARN: arnPrefix + name + "-" + tag(name), Name: name, VersionID: id, VersionStages: []string{"AWSCURRENT"}}
}

func (v *Vault) get(in input) (output, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all, err := v.read()
	if err != nil {
		return output{}, err
	}
	name := nameOf(in.SecretID)
	value, ok := all[name]
	out := describe(name, value)
	if !ok {
		return output{}, &fault{http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
	}
	if (in.VersionStage != "" && in.VersionStage != "AWSCURRENT") || (in.VersionID != "" && in.VersionID != out.VersionID) {
		return output{}, &fault{http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret value for that version."}
	}
	out.SecretString = value
	return out, nil
}

// set stores a value under an id that must exist already, or must not.
func (v *Vault) set(id string, value *string, exists bool) (output, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if id == "" || value == nil || *value == "" {
		return output{}, &fault{http.StatusBadRequest, "InvalidParameterException", "You must provide the secret's id and its SecretString."}
	}
	all, err := v.read()
	if err != nil {
		return output{}, err
	}
	name := nameOf(id)
	switch _, ok := all[name]; {
	case exists && !ok:
		return output{}, &fault{http.StatusBadRequest, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."}
	case !exists && ok:
		return output{}, &fault{http.StatusBadRequest, "ResourceExistsException", "The operation failed because the secret " + name + " already exists."}
	}
	all[name] = *value
	return describe(name, *value), v.write(all)
}

func (v *Vault) read() (map[string]string, error) {
	all := map[string]string{}
	text, err := os.ReadFile(v.file)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read the secrets: %w", err)
	}
	return all, nil
}

// write replaces the file as a whole; only its owner may read it.
func (v *Vault) write(all map[string]string) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the secrets: %w", err)
	}
	next := v.file + ".next"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the secrets: %w", err)
	}
	if err := os.Rename(next, v.file); err != nil {
		return fmt.Errorf("replace the secrets: %w", err)
	}
	return nil
}
