package s3_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// draft is a form that no client of AWS would make, before it is signed.
type draft struct {
	fields     map[string]string
	conditions []any // one for each field, and the bucket's
}

// newDraft makes a form for the key "a" as if signed at some time.
func (d desk) newDraft(at time.Time) draft {
	at = at.UTC()
	f := draft{fields: map[string]string{
		"key": "a", "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Date": at.Format("20060102T150405Z"),
		"X-Amz-Credential": "local/" + at.Format("20060102") + "/us-east-1/s3/aws4_request",
	}}
	for name, value := range f.fields {
		f.conditions = append(f.conditions, map[string]string{name: value})
	}
	f.conditions = append(f.conditions, map[string]string{"bucket": d.bucket})
	return f
}

// signed signs a draft with a policy, which is its own conditions for an hour
// unless given.
func (d desk) signed(f draft, policy string) form {
	d.Helper()
	if policy == "" {
		text, err := json.Marshal(map[string]any{"expiration": time.Now().UTC().Add(time.Hour), "conditions": f.conditions})
		if err != nil {
			d.Fatal(err)
		}
		policy = string(text)
	}
	f.fields["policy"] = base64.StdEncoding.EncodeToString([]byte(policy))
	key := []byte("AWS4local-secret")
	for _, part := range []string{f.fields["X-Amz-Date"][:8], "us-east-1", "s3", "aws4_request", f.fields["policy"]} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(part))
		key = h.Sum(nil)
	}
	f.fields["X-Amz-Signature"] = hex.EncodeToString(key)
	return form{d.endpoint.url + "/" + d.bucket, f.fields}
}

// formFields: a form is signed whole or not at all.
func formFields(d desk) {
	if a := d.post(d.signed(d.newDraft(time.Now()), ""), "x"); a.status != http.StatusNoContent {
		d.Fatalf("as it should be: %+v", a)
	}
	lacking := []string{"key", "policy", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"}
	for _, field := range lacking {
		f := d.signed(d.newDraft(time.Now()), "")
		delete(f.fields, field)
		d.wantAnswer("no "+field, d.post(f, "x"), http.StatusBadRequest, "InvalidArgument")
	}
	f := d.signed(d.newDraft(time.Now()), "")
	f.fields["X-Amz-Algorithm"] = "AWS4-HMAC-SHA1"
	d.wantAnswer("another algorithm", d.post(f, "x"), http.StatusBadRequest, "InvalidArgument")
	f = d.signed(d.newDraft(time.Now()), "")
	f.fields["X-Amz-Date"] = "today"
	d.wantAnswer("no date", d.post(f, "x"), http.StatusBadRequest, "InvalidArgument")
	f = d.signed(d.newDraft(time.Now()), "")
	for _, field := range lacking[1:] {
		delete(f.fields, field)
	}
	d.wantAnswer("not signed", d.post(f, "x"), http.StatusForbidden, "AccessDenied")
}

func formPolicies(d desk) {
	const expires = `"expiration":"2100-01-01T00:00:00.000Z"`
	for what, policy := range map[string]string{
		"no JSON":            "policy",
		"no expiration":      `{"conditions":[]}`,
		"no time":            `{"expiration":"tomorrow","conditions":[]}`,
		"no conditions":      "{" + expires + "}",
		"no condition":       "{" + expires + `,"conditions":[true]}`,
		"unknown operator":   "{" + expires + `,"conditions":[["ends-with","$key","a"]]}`,
		"two values":         "{" + expires + `,"conditions":[["eq","$key","a","b"]]}`,
		"two at once":        "{" + expires + `,"conditions":[{"key":"a","bucket":"b"}]}`,
		"number for a value": "{" + expires + `,"conditions":[{"key":7}]}`,
		"words for a range":  "{" + expires + `,"conditions":[["content-length-range","few","many"]]}`,
	} {
		d.wantAnswer(what, d.post(d.signed(d.newDraft(time.Now()), policy), "x"), http.StatusBadRequest, "InvalidPolicyDocument")
	}
	f := d.newDraft(time.Now())
	f.conditions = f.conditions[:len(f.conditions)-1]
	d.wantAnswer("no condition on the bucket", d.post(d.signed(f, ""), "x"), http.StatusForbidden, "AccessDenied")
	d.wantAbsent("a")
}

// formAge: a form goes bad an hour after its signing, whatever its policy says.
func formAge(d desk) {
	d.wantAnswer("59 minutes", d.post(d.signed(d.newDraft(time.Now().Add(-59*time.Minute)), ""), "x"), http.StatusNoContent, "")
	d.wantAnswer("61 minutes", d.post(d.signed(d.newDraft(time.Now().Add(-61*time.Minute)), ""), "y"), http.StatusForbidden, "AccessDenied")
	d.wantBody("a", "x")
}

func formHeaders(d desk) {
	f := d.newDraft(time.Now())
	for name, value := range map[string]string{
		"x-amz-meta-work": "7", "Content-Disposition": "attachment; filename=a.tar", "Cache-Control": "no-store",
	} {
		f.fields[name] = value
		f.conditions = append(f.conditions, map[string]string{name: value})
	}
	d.wantAnswer("post", d.post(d.signed(f, ""), "x"), http.StatusNoContent, "")
	head, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: &d.bucket, Key: aws.String("a")})
	if err != nil || aws.ToString(head.ContentType) != "binary/octet-stream" || head.Metadata["work"] != "7" ||
		aws.ToString(head.ContentDisposition) != "attachment; filename=a.tar" || aws.ToString(head.CacheControl) != "no-store" {
		d.Errorf("head %+v, %v", head, err)
	}
}

func formDigestText(d desk) {
	digest := map[string]string{"x-amz-checksum-sha256": "no digest"}
	d.wantAnswer("post", d.post(d.newForm("a", []any{digest}, digest), "x"), http.StatusBadRequest, "InvalidRequest")
	d.wantAbsent("a")
}
