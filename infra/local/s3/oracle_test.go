//go:build oracle

package s3_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"workerpool/test/oracle"
)

// TestOracle runs the suite against versitygw too.
func TestOracle(t *testing.T) {
	versity := oracle.Start(t, "versitygw", func(host, port string) []string {
		return []string{"--port", host + ":" + port, "--access", "local", "--secret", "local-secret", "--quiet",
			"posix", "--sidecar", t.TempDir(), t.TempDir()} // the sidecar, as not every file system has attributes
	})
	oracle.Run(t, conformance.list(), standIn,
		oracle.Side[endpoint]{Name: "versitygw", Open: foreign(versity), Known: ofVersity})
}

var notOfABucket = regexp.MustCompile("[^a-z]+")

// foreign gives each case buckets of its own.
func foreign(address string) func(testing.TB, string) endpoint {
	return func(t testing.TB, name string) endpoint {
		bucket := notOfABucket.ReplaceAllString(strings.ToLower(name), "-")
		e := endpoint{url: "http://" + address, http: http.DefaultClient, bucket: bucket, other: bucket + "-2"}
		d := open(t, e)
		for _, name := range []string{e.bucket, e.other} {
			if _, err := d.api.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
				t.Fatalf("make bucket %s: %v", name, err)
			}
		}
		return e
	}
}

// ofVersity is what versitygw 1.8.0 does otherwise than AWS. Where AWS's pages
// leave it open, what was seen of AWS stands for them.
var ofVersity = oracle.Known([][3]string{
	{"wrong keys", "get as nobody: code XAdminUserNotFound", "Error responses, InvalidAccessKeyId: the access key ID that you provided does not exist in our records, 403"},
	{"tampered form", "another key: answer 404 XAdminUserNotFound", "Error responses, InvalidAccessKeyId: the access key ID that you provided does not exist in our records, 403"},
	{"link before and after its time", "signed in 16 minutes: answer 200", "seen of AWS (minio issue 2638): AccessDenied, Request is not yet valid"},
	{"conditions of a form", "another bucket named: answer 204", "POST policy, exact matches: the form field value must match the value specified"},
})
