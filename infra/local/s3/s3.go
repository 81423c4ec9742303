// Package s3 is a development stand-in of Amazon S3: path-style buckets whose
// objects are plain files in a folder, so that inputs and results can be looked
// at and survive a restart.
//
// It owns what our code can notice of S3: signatures of headers, links and
// upload forms, the conditions of a form's policy, digests, ranges, listings and
// error codes. It must not be deployed. It knows no versions, parts, copies,
// conditional writes or tags and refuses them as NotImplemented; an object cannot have
// the name of another's folder ("a" beside "a/b"); bytes on disk are not synced.
//
// The handler must see paths as they were sent: a mux that cleans them, or a
// stripped prefix, breaks both keys and signatures.
package s3

import (
	"cmp"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"time"

	"workerpool/infra/local/faults"
	"workerpool/infra/local/sigv4"
)

// Config holds what Buckets need. Dir, Buckets and Keys are required.
type Config struct {
	Dir     string            // where the objects are kept; made when absent
	Buckets []string          // the buckets there are
	Keys    map[string]string // secret of each access key
	Region  string            // default us-east-1
	Faults  *faults.Board     // default: no faults
	Now     func() time.Time  // default time.Now
}

// Buckets is the stand-in: an http.Handler safe for concurrent use. One process
// at a time may use a folder.
type Buckets struct {
	verifier sigv4.Verifier
	faults   *faults.Board
	now      func() time.Time
	disks    map[string]*disk
}

// New makes the folders of the buckets where they are absent, removes what
// interrupted uploads left behind, and declares the fault targets: one
// "s3:<Operation>" per operation, PostObject for upload forms.
func New(c Config) (*Buckets, error) {
	b := &Buckets{faults: c.Faults, now: c.Now, disks: map[string]*disk{}}
	b.verifier = sigv4.Verifier{Keys: c.Keys, Region: cmp.Or(c.Region, "us-east-1"), Service: "s3", Now: c.Now}
	if b.faults == nil {
		b.faults = faults.New(faults.Config{})
	}
	if b.now == nil {
		b.now = time.Now
	}
	for _, name := range c.Buckets {
		d, err := openDisk(c.Dir, name)
		if err != nil {
			return nil, fmt.Errorf("open bucket %s: %w", name, err)
		}
		b.disks[name] = d
	}
	b.faults.Declare(nil, "s3:GetObject", "s3:HeadObject", "s3:ListObjectsV2")
	b.faults.Declare([]faults.Kind{faults.Lose}, "s3:PutObject", "s3:PostObject", "s3:DeleteObject")
	return b, nil
}

// call is one request on its way.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	name  string // of the bucket
	disk  *disk
	key   string
	fault faults.Fault
}

// ServeHTTP carries out one call.
func (b *Buckets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c := call{r: r, name: name, key: key}
	operation, do := b.route(c)
	if do == nil {
		fail(w, r, refuse(http.StatusNotImplemented, "NotImplemented", "A header or query you provided asks for something that the local stand-in of S3 does not do."))
		return
	}
	b.faults.Serve(w, r, "s3:"+operation, func(w http.ResponseWriter, f faults.Fault) {
		w.Header().Set("X-Amz-Request-Id", rand.Text())
		c.w, c.fault = w, f
		if err := b.carryOut(c, operation != "PostObject", do); err != nil {
			fail(w, r, err)
		}
	}, func(w http.ResponseWriter, status int) {
		fail(w, r, refuse(status, "InternalError", "a fault was switched on"))
	})
}

// route names the operation of a request; do is nil for those not known here.
func (b *Buckets) route(c call) (operation string, do func(call) error) {
	query := c.r.URL.Query()
	list := c.key == "" && c.r.Method == http.MethodGet && query.Get("list-type") == "2"
	for name := range query {
		if !strings.HasPrefix(strings.ToLower(name), "x-amz-") && !strings.HasPrefix(name, "response-") &&
			name != "x-id" && !(list && listParameters[name]) {
			return "", nil
		}
	}
	conditional := c.r.Header.Get("If-Match") != "" || c.r.Header.Get("If-None-Match") != ""
	if c.r.Header.Get("X-Amz-Copy-Source") != "" || (c.r.Method == http.MethodPut && conditional) {
		return "", nil
	}
	switch {
	case list:
		return "ListObjectsV2", b.listObjects
	case c.key == "" && c.r.Method == http.MethodPost:
		return "PostObject", b.postObject
	case c.key == "":
		return "", nil
	}
	switch c.r.Method {
	case http.MethodGet:
		return "GetObject", b.getObject
	case http.MethodHead:
		return "HeadObject", b.getObject
	case http.MethodPut:
		return "PutObject", b.putObject
	case http.MethodDelete:
		return "DeleteObject", b.deleteObject
	}
	return "", nil
}

// carryOut checks the signature first (that of a form is inside it), so that
// nothing is told of a bucket to who may not know.
func (b *Buckets) carryOut(c call, signed bool, do func(call) error) error {
	if signed {
		if err := b.verifier.CheckFile(c.r); err != nil {
			return err
		}
	}
	c.disk = b.disks[c.name]
	if c.disk == nil {
		return refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	}
	return do(c)
}

// fault is an error of the protocol.
type fault struct {
	status        int
	code, message string
}

func (f *fault) Error() string { return f.code + ": " + f.message }

func refuse(status int, code, format string, args ...any) *fault {
	return &fault{status, code, fmt.Sprintf(format, args...)}
}

func denied(format string, args ...any) *fault {
	return refuse(http.StatusForbidden, "AccessDenied", format, args...)
}

// classify makes a protocol error of what came from the disk or the connection.
func classify(err error) *fault {
	var f *fault
	var unsigned *sigv4.Error
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &unsigned):
		return &fault{unsigned.Status, unsigned.Code, unsigned.Message}
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return refuse(http.StatusInsufficientStorage, "InsufficientStorage", "The disk is full.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return refuse(http.StatusBadRequest, "IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header")
	}
	return refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
}

func fail(w http.ResponseWriter, r *http.Request, err error) {
	f := classify(err)
	if f.status == http.StatusInternalServerError {
		slog.WarnContext(r.Context(), "s3 call failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	writeXML(w, f.status, struct {
		XMLName                            xml.Name `xml:"Error"`
		Code, Message, Resource, RequestID string
	}{Code: f.code, Message: f.message, Resource: r.URL.Path, RequestID: w.Header().Get("X-Amz-Request-Id")})
}

func writeXML(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	// The caller may be gone; there is nobody to tell.
	_, _ = io.WriteString(w, xml.Header)
	_ = xml.NewEncoder(w).Encode(body)
}
