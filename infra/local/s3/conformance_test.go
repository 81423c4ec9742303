package s3_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"workerpool/test/oracle"
)

// conformance is what any implementation of S3 must do; each case has an empty
// bucket.
var conformance = cases{
	{"an object travels whole", travelsWhole},
	{"replace and delete", replaceAndDelete},
	{"absent", absent},
	{"below an object", belowAnObject},
	{"ranges", ranges},
	{"listings", listings},
	{"pages of a listing", pages},
	{"odd keys", oddKeys},
	{"digests of a put", putDigests},
	{"algorithms of a put", putAlgorithms},
	{"unsigned calls", unsigned},
	{"wrong keys", wrongKeys},
	{"a region of another", abroad},
	{"a clock that is off", skewed},
	{"link to read", linkToRead},
	{"link with headers of the answer", linkWithHeaders},
	{"tampered link", tamperedLink},
	{"link before and after its time", linkInTime},
	{"link to write", linkToWrite},
	{"form", formUploads},
	{"answers to a form", formAnswers},
	{"length of a form's file", formLength},
	{"digest of a form's file", formDigest},
	{"expired form", formExpired},
	{"tampered form", formTampered},
	{"conditions of a form", formConditions},
	{"fields of a form", formFields},
	{"policy of a form", formPolicies},
	{"age of a form", formAge},
	{"headers in a form", formHeaders},
	{"a form's digest that is none", formDigestText},
	{"the pool's upload", poolUpload},
	{"the pool's upload by others", poolUploadByOthers},
	{"the pool's link to read", poolLink},
	{"the pool's look at nothing", poolLooksAtNothing},
}

type cases []struct {
	name  string
	check func(desk)
}

func (all cases) list() []oracle.Case[endpoint] {
	var out []oracle.Case[endpoint]
	for _, c := range all {
		out = append(out, oracle.Case[endpoint]{Name: c.name, Check: func(t testing.TB, e endpoint) { c.check(open(t, e)) }})
	}
	return out
}

var standIn = oracle.Side[endpoint]{Name: "ours", Open: func(t testing.TB, _ string) endpoint {
	return ours(t, t.TempDir(), nil, httptest.NewServer)
}}

func TestConformance(t *testing.T) { oracle.Run(t, conformance.list(), standIn) }

func travelsWhole(d desk) {
	const body = "the result"
	_, err := d.api.PutObject(d.Context(), &s3.PutObjectInput{
		Bucket: &d.bucket, Key: aws.String("works/7/result.tar"), Body: strings.NewReader(body),
		ChecksumSHA256: aws.String(sha(body)), ContentType: aws.String("application/x-tar"),
		ContentDisposition: aws.String(`attachment; filename="a b.tar"`), Metadata: map[string]string{"work": "7  8"},
	})
	if err != nil {
		d.Fatalf("put: %v", err)
	}
	got, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: &d.bucket, Key: aws.String("works/7/result.tar"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		d.Fatalf("get: %v", err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || string(text) != body || aws.ToString(got.ContentType) != "application/x-tar" ||
		aws.ToString(got.ContentDisposition) != `attachment; filename="a b.tar"` || aws.ToString(got.ChecksumSHA256) != sha(body) {
		d.Errorf("got %q, %v, %+v", text, err, got)
	}
	head, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: &d.bucket, Key: aws.String("works/7/result.tar"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		d.Fatalf("head: %v", err)
	}
	if aws.ToInt64(head.ContentLength) != int64(len(body)) || aws.ToString(head.ChecksumSHA256) != sha(body) ||
		aws.ToString(head.ETag) != aws.ToString(got.ETag) || time.Since(*head.LastModified).Abs() > time.Hour {
		d.Errorf("head %+v", head)
	}
	plain, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: &d.bucket, Key: aws.String("works/7/result.tar")})
	if err != nil || plain.ChecksumSHA256 != nil {
		d.Errorf("head without checksum mode: %+v, %v", plain, err)
	}
}

func replaceAndDelete(d desk) {
	d.put("a", "first")
	d.put("a", "second, longer")
	d.wantBody("a", "second, longer")
	for range 2 {
		if _, err := d.api.DeleteObject(d.Context(), &s3.DeleteObjectInput{Bucket: &d.bucket, Key: aws.String("a")}); err != nil {
			d.Fatalf("delete: %v", err)
		}
		d.wantAbsent("a")
	}
	d.put("empty", "")
	d.wantBody("empty", "")
}

func absent(d desk) {
	d.wantNothingAt("none")
	_, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: aws.String("no-such-bucket"), Key: aws.String("a")})
	d.refused("get from no bucket", err, "NoSuchBucket")
}

// belowAnObject: keys are not folders.
func belowAnObject(d desk) {
	d.put("a/b", "x")
	d.wantNothingAt("a")
	d.wantNothingAt("a/b/c")
	d.wantNothingAt("a/")
}

// wantNothingAt wants the two ways in which it is said that there is nothing.
func (d desk) wantNothingAt(key string) {
	d.Helper()
	_, err := d.get(key)
	var noKey *types.NoSuchKey
	if !errors.As(err, &noKey) {
		d.Errorf("get %s: %v, want NoSuchKey", key, err)
	}
	_, err = d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: &d.bucket, Key: &key})
	var notFound *types.NotFound
	if !errors.As(err, &notFound) {
		d.Errorf("head %s: %v, want NotFound", key, err)
	}
}

func ranges(d desk) {
	d.put("a", "0123456789")
	for asked, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89", "bytes=5-99": "56789"} {
		out, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: &d.bucket, Key: aws.String("a"), Range: aws.String(asked)})
		if err != nil {
			d.Errorf("%s: %v", asked, err)
			continue
		}
		body, err := io.ReadAll(out.Body)
		out.Body.Close()
		if err != nil || string(body) != want || aws.ToInt64(out.ContentLength) != int64(len(want)) || out.ContentRange == nil {
			d.Errorf("%s: %q, %v, %+v; want %q", asked, body, err, out, want)
		}
	}
	_, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: &d.bucket, Key: aws.String("a"), Range: aws.String("bytes=10-")})
	d.refused("range behind the end", err, "InvalidRange")
}

func listings(d desk) {
	for _, key := range []string{"b/2", "b/1", "a", "b/3", "b.x"} {
		d.put(key, key)
	}
	if got, want := d.keys(), []string{"a", "b.x", "b/1", "b/2", "b/3"}; !slices.Equal(got, want) {
		d.Errorf("listed %q, want %q", got, want)
	}
	out, err := d.api.ListObjectsV2(d.Context(), &s3.ListObjectsV2Input{Bucket: &d.bucket, StartAfter: aws.String("b/2")})
	if err != nil || len(out.Contents) != 1 || *out.Contents[0].Key != "b/3" {
		d.Errorf("after b/2: %v, %v", out, err)
	}
	if out, err := d.api.ListObjectsV2(d.Context(), &s3.ListObjectsV2Input{Bucket: &d.bucket, Prefix: aws.String("none")}); err != nil || len(out.Contents) != 0 || aws.ToInt32(out.KeyCount) != 0 {
		d.Errorf("with a prefix of none: %v, %v", out, err)
	}
}

func pages(d desk) {
	for _, key := range []string{"b/1", "b/2", "b/3", "c"} {
		d.put(key, key)
	}
	pages := s3.NewListObjectsV2Paginator(d.api, &s3.ListObjectsV2Input{Bucket: &d.bucket, Prefix: aws.String("b/"), MaxKeys: aws.Int32(2)})
	var sizes []int
	for pages.HasMorePages() {
		page, err := pages.NextPage(d.Context())
		if err != nil {
			d.Fatalf("page %d: %v", len(sizes), err)
		}
		sizes = append(sizes, len(page.Contents))
		if o := page.Contents[0]; aws.ToInt64(o.Size) != 3 || aws.ToString(o.ETag) == "" || o.LastModified == nil {
			d.Errorf("listed %+v", o)
		}
	}
	if !slices.Equal(sizes, []int{2, 1}) {
		d.Errorf("pages of %v, want 2 and 1", sizes)
	}
}

func oddKeys(d desk) {
	keys := []string{"a b+c%20d", "\u00e9/\U0001F514", "x=1,y@2;z:(!)'*~", "<&>\"", "d/e", `back\slash`}
	for _, key := range keys {
		d.put(key, "body of "+key)
	}
	for _, key := range keys {
		d.wantBody(key, "body of "+key)
	}
	slices.Sort(keys)
	if got := d.keys(); !slices.Equal(got, keys) {
		d.Errorf("listed %q, want %q", got, keys)
	}
}

func putDigests(d desk) {
	for what, in := range map[string]s3.PutObjectInput{
		"SHA256":    {ChecksumSHA256: aws.String(sha("other"))},
		"CRC32":     {ChecksumCRC32: aws.String("AAAAAA==")},
		"CRC32C":    {ChecksumCRC32C: aws.String("AAAAAA==")},
		"SHA1":      {ChecksumSHA1: aws.String("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")},
		"CRC64NVME": {ChecksumCRC64NVME: aws.String("AAAAAAAAAAA=")},
		"MD5":       {ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA==")},
	} {
		in.Bucket, in.Key, in.Body = &d.bucket, aws.String("a"), strings.NewReader("body")
		_, err := d.api.PutObject(d.Context(), &in)
		d.refused("wrong "+what, err, "BadDigest")
	}
	d.wantAbsent("a")
}

func putAlgorithms(d desk) {
	for _, a := range []types.ChecksumAlgorithm{"CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"} {
		_, err := d.api.PutObject(d.Context(), &s3.PutObjectInput{Bucket: &d.bucket, Key: aws.String(string(a)), Body: strings.NewReader("body"), ChecksumAlgorithm: a})
		if err != nil {
			d.Errorf("put with %s: %v", a, err)
		}
		d.wantBody(string(a), "body")
	}
	head, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: &d.bucket, Key: aws.String("SHA256"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || aws.ToString(head.ChecksumSHA256) != sha("body") || head.ChecksumType != types.ChecksumTypeFullObject {
		d.Errorf("head %+v, %v; want the SHA-256 of the whole object", head, err)
	}
}
