package s3_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// TestConformance is what any stand-in of S3 must do; each case gets an endpoint
// with an empty bucket.
func TestConformance(t *testing.T) {
	conform(t, func(t *testing.T) endpoint { return ours(t, t.TempDir(), nil, httptest.NewServer) })
}

func conform(t *testing.T, start func(t *testing.T) endpoint) {
	cases := []struct {
		name  string
		check func(desk)
	}{
		{"an object travels whole", travelsWhole},
		{"replace and delete", replaceAndDelete},
		{"absent", absent},
		{"ranges", ranges},
		{"listings", listings},
		{"odd keys", oddKeys},
		{"digests of a put", putDigests},
		{"who may call", whoMayCall},
		{"link to read", linkToRead},
		{"link to write", linkToWrite},
		{"form", formUploads},
		{"length of a form's file", formLength},
		{"digest of a form's file", formDigest},
		{"expired form", formExpired},
		{"tampered form", formTampered},
		{"conditions of a form", formConditions},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) { c.check(open(t, start(t))) })
	}
}

func travelsWhole(d desk) {
	const body = "the result"
	_, err := d.api.PutObject(d.Context(), &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("works/7/result.tar"), Body: strings.NewReader(body),
		ChecksumSHA256: aws.String(sha(body)), ContentType: aws.String("application/x-tar"),
		ContentDisposition: aws.String(`attachment; filename="a b.tar"`), Metadata: map[string]string{"work": "7  8"},
	})
	if err != nil {
		d.Fatalf("put: %v", err)
	}
	got, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("works/7/result.tar"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		d.Fatalf("get: %v", err)
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || string(text) != body || aws.ToString(got.ContentType) != "application/x-tar" ||
		aws.ToString(got.ContentDisposition) != `attachment; filename="a b.tar"` || aws.ToString(got.ChecksumSHA256) != sha(body) {
		d.Errorf("got %q, %v, %+v", text, err, got)
	}
	head, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("works/7/result.tar"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		d.Fatalf("head: %v", err)
	}
	if aws.ToInt64(head.ContentLength) != int64(len(body)) || aws.ToString(head.ChecksumSHA256) != sha(body) ||
		aws.ToString(head.ETag) != aws.ToString(got.ETag) || time.Since(*head.LastModified).Abs() > time.Hour {
		d.Errorf("head %+v", head)
	}
	plain, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("works/7/result.tar")})
	if err != nil || plain.ChecksumSHA256 != nil {
		d.Errorf("head without checksum mode: %+v, %v", plain, err)
	}
}

func replaceAndDelete(d desk) {
	d.put("a", "first")
	d.put("a", "second, longer")
	d.wantBody("a", "second, longer")
	for range 2 {
		if _, err := d.api.DeleteObject(d.Context(), &s3.DeleteObjectInput{Bucket: aws.String(bucket), Key: aws.String("a")}); err != nil {
			d.Fatalf("delete: %v", err)
		}
		d.wantAbsent("a")
	}
	d.put("empty", "")
	d.wantBody("empty", "")
}

func absent(d desk) {
	d.put("a/b", "x")
	for _, key := range []string{"none", "a", "a/b/c"} {
		_, err := d.get(key)
		var noKey *types.NoSuchKey
		if !errors.As(err, &noKey) {
			d.Errorf("get %s: %v, want NoSuchKey", key, err)
		}
		_, err = d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: &key})
		var notFound *types.NotFound
		if !errors.As(err, &notFound) {
			d.Errorf("head %s: %v, want NotFound", key, err)
		}
	}
	_, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: aws.String("no-such-bucket"), Key: aws.String("a")})
	wantCode(d.T, err, "NoSuchBucket")
}

func ranges(d desk) {
	d.put("a", "0123456789")
	for asked, want := range map[string]string{"bytes=2-4": "234", "bytes=7-": "789", "bytes=-2": "89", "bytes=5-99": "56789"} {
		out, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Range: aws.String(asked)})
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
	_, err := d.api.GetObject(d.Context(), &s3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String("a"), Range: aws.String("bytes=10-")})
	wantCode(d.T, err, "InvalidRange")
}

func listings(d desk) {
	for _, key := range []string{"b/2", "b/1", "a", "b/3", "b.x"} {
		d.put(key, key)
	}
	if got, want := d.keys(), []string{"a", "b.x", "b/1", "b/2", "b/3"}; !slices.Equal(got, want) {
		d.Errorf("listed %q, want %q", got, want)
	}
	pages := s3.NewListObjectsV2Paginator(d.api, &s3.ListObjectsV2Input{Bucket: aws.String(bucket), Prefix: aws.String("b/"), MaxKeys: aws.Int32(2)})
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
	out, err := d.api.ListObjectsV2(d.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket), StartAfter: aws.String("b/2")})
	if err != nil || len(out.Contents) != 1 || *out.Contents[0].Key != "b/3" {
		d.Errorf("after b/2: %v, %v", out, err)
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
	for _, in := range []s3.PutObjectInput{
		{ChecksumSHA256: aws.String(sha("other"))},
		{ChecksumCRC32: aws.String("AAAAAA==")},
		{ChecksumCRC32C: aws.String("AAAAAA==")},
		{ChecksumSHA1: aws.String("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")},
		{ChecksumCRC64NVME: aws.String("AAAAAAAAAAA=")},
		{ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA==")},
	} {
		in.Bucket, in.Key, in.Body = aws.String(bucket), aws.String("a"), strings.NewReader("body")
		_, err := d.api.PutObject(d.Context(), &in)
		wantCode(d.T, err, "BadDigest")
	}
	for _, a := range []types.ChecksumAlgorithm{"CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"} {
		_, err := d.api.PutObject(d.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(string(a)), Body: strings.NewReader("body"), ChecksumAlgorithm: a})
		if err != nil {
			d.Errorf("put with %s: %v", a, err)
		}
	}
	d.wantAbsent("a")
}

func whoMayCall(d desk) {
	d.put("a", "secret")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		d.wantAnswer(d.do(method, d.url+"/"+bucket+"/a", nil, nil), http.StatusForbidden, "AccessDenied")
	}
	for code, who := range map[string][2]string{
		"SignatureDoesNotMatch": {"local", "guess"},
		"InvalidAccessKeyId":    {"nobody", "local-secret"},
	} {
		// A client of its own: the signer remembers keys by access key.
		stranger := open(d.T, d.endpoint, func(o *s3.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(who[0], who[1], "")
		})
		_, err := stranger.get("a")
		wantCode(d.T, err, code)
	}
	abroad := open(d.T, d.endpoint, func(o *s3.Options) { o.Region = "eu-west-3" })
	_, err := abroad.get("a")
	wantCode(d.T, err, "AuthorizationHeaderMalformed")
	d.advance(16 * time.Minute)
	_, err = d.get("a")
	wantCode(d.T, err, "RequestTimeTooSkewed")
	d.advance(-16 * time.Minute)
	d.wantBody("a", "secret")
}

func linkToRead(d desk) {
	d.put("a b", "secret")
	link, err := d.sign.PresignGetObject(d.Context(), &s3.GetObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("a b"), ResponseContentDisposition: aws.String(`attachment; filename="result.tar"`),
	}, s3.WithPresignExpires(15*time.Minute))
	if err != nil {
		d.Fatalf("sign a link: %v", err)
	}
	a := d.do("GET", link.URL, nil, nil)
	if a.status != 200 || a.body != "secret" || a.header.Get("Content-Disposition") != `attachment; filename="result.tar"` {
		d.Errorf("answer %+v", a)
	}
	a = d.do("GET", link.URL, map[string]string{"Range": "bytes=1-2"}, nil)
	if a.status != http.StatusPartialContent || a.body != "ec" {
		d.Errorf("answer to a range %+v", a)
	}
	tampered := []string{
		strings.Replace(link.URL, "result.tar", "virus.exe", 1),
		strings.Replace(link.URL, "X-Amz-Expires=900", "X-Amz-Expires=9000", 1),
		strings.Replace(link.URL, "a%20b", "c", 1),
		link.URL + "0",
	}
	for _, url := range tampered {
		d.wantAnswer(d.do("GET", url, nil, nil), http.StatusForbidden, "SignatureDoesNotMatch")
	}
	d.wantAnswer(d.do("PUT", link.URL, nil, strings.NewReader("x")), http.StatusForbidden, "SignatureDoesNotMatch")
	d.wantAnswer(d.do("GET", link.URL, map[string]string{"X-Amz-Meta-Work": "7"}, nil), http.StatusForbidden, "AccessDenied")
	d.advance(-16 * time.Minute)
	d.wantAnswer(d.do("GET", link.URL, nil, nil), http.StatusForbidden, "AccessDenied")
	d.advance(16*time.Minute + 14*time.Minute + 50*time.Second)
	d.wantAnswer(d.do("GET", link.URL, nil, nil), http.StatusOK, "")
	d.advance(20 * time.Second)
	d.wantAnswer(d.do("GET", link.URL, nil, nil), http.StatusForbidden, "AccessDenied")
}

func linkToWrite(d desk) {
	link, err := d.sign.PresignPutObject(d.Context(), &s3.PutObjectInput{
		Bucket: aws.String(bucket), Key: aws.String("a"), ChecksumSHA256: aws.String(sha("right")), ContentLength: aws.Int64(5)})
	if err != nil {
		d.Fatalf("sign a link: %v", err)
	}
	header := map[string]string{}
	for name := range link.SignedHeader {
		if name != "Host" && name != "Content-Length" {
			header[name] = link.SignedHeader.Get(name)
		}
	}
	d.wantAnswer(d.do("PUT", link.URL, header, strings.NewReader("wrong")), http.StatusBadRequest, "BadDigest")
	d.wantAbsent("a")
	d.wantAnswer(d.do("PUT", link.URL, header, strings.NewReader("longer")), http.StatusForbidden, "SignatureDoesNotMatch")
	d.wantAnswer(d.do("PUT", link.URL, header, strings.NewReader("right")), http.StatusOK, "")
	d.wantBody("a", "right")
}
