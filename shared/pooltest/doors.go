package pooltest

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"workerpool/infra/local/s3"
	localsqs "workerpool/infra/local/sqs"
	"workerpool/shared/store/storetest"
)

// Main starts the stand-ins, tells the AWS clients of them, and runs a package's
// tests. Call it from TestMain: the standard variables belong to the process, so
// all Worlds share the stand-ins, each with a bucket and a queue of its own.
func Main(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	queues := httptest.NewServer(localsqs.New(localsqs.Config{}))
	files := httptest.NewServer(http.HandlerFunc(serveBuckets))
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "pool", "AWS_SECRET_ACCESS_KEY": "pool-secret",
		"AWS_ENDPOINT_URL_S3": files.URL, "AWS_ENDPOINT_URL_SQS": queues.URL,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		if err := os.Setenv(name, value); err != nil {
			fmt.Fprintln(os.Stderr, "setting the environment:", err)
			os.Exit(1)
		}
	}
	storetest.Main(m)
}

var (
	buckets sync.Map // name -> *s3.Buckets
	made    atomic.Int64
)

// serveBuckets leads a call to the stand-in of its bucket; the path stays as it is.
func serveBuckets(w http.ResponseWriter, r *http.Request) {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	bucket, ok := buckets.Load(name)
	if !ok {
		http.Error(w, "no World has this bucket", http.StatusNotFound)
		return
	}
	bucket.(http.Handler).ServeHTTP(w, r)
}

func newBucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("files-%d", made.Add(1))
	b, err := s3.New(s3.Config{Dir: t.TempDir(), Buckets: []string{name}, Keys: map[string]string{"pool": "pool-secret"}})
	if err != nil {
		t.Fatal(err)
	}
	buckets.Store(name, b)
	t.Cleanup(func() { buckets.Delete(name) })
	return name
}

func newQueue(t testing.TB) (*sqs.Client, string) {
	t.Helper()
	loaded, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := sqs.NewFromConfig(loaded)
	out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(fmt.Sprintf("rings-%d", made.Add(1)))})
	if err != nil {
		t.Fatal(err)
	}
	return client, aws.ToString(out.QueueUrl)
}

// Doubt disturbs a door, once each time it is told to.
type Doubt struct {
	mu     sync.Mutex
	armed  map[string]bool // operation -> whether it happens all the same
	struck int
}

// Fail lets the next call of an operation fail: before it happened, or with done
// after it happened.
func (d *Doubt) Fail(operation string, done bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed = map[string]bool{operation: done}
}

// Struck tells how many calls were made to fail.
func (d *Doubt) Struck() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.struck
}

func (d *Doubt) ask(operation string, done bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	when, armed := d.armed[operation]
	if !armed || when != done {
		return nil
	}
	delete(d.armed, operation)
	d.struck++
	return errors.New("a door was made to fail")
}
