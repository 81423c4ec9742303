package s3_test

import (
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

func unsigned(d desk) {
	d.put("a", "secret")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		d.wantAnswer(method, d.do(method, d.endpoint.url+"/"+d.bucket+"/a", nil, nil), http.StatusForbidden, "AccessDenied")
	}
	d.wantBody("a", "secret")
}

func wrongKeys(d desk) {
	d.put("a", "secret")
	for code, who := range map[string][2]string{
		"SignatureDoesNotMatch": {"local", "guess"},
		"InvalidAccessKeyId":    {"nobody", "local-secret"},
	} {
		// A client of its own: the signer remembers keys by access key.
		stranger := open(d.TB, d.endpoint, func(o *s3.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(who[0], who[1], "")
		})
		_, err := stranger.get("a")
		d.refused("get as "+who[0], err, code)
	}
}

func abroad(d desk) {
	d.put("a", "secret")
	abroad := open(d.TB, d.endpoint, func(o *s3.Options) { o.Region = "eu-west-3" })
	_, err := abroad.get("a")
	d.refused("get", err, "AuthorizationHeaderMalformed")
}

func skewed(d desk) {
	d.put("a", "secret")
	for what, off := range map[string]time.Duration{"slow": -16 * time.Minute, "fast": 16 * time.Minute} {
		skewed := open(d.TB, d.endpoint, func(o *s3.Options) { o.HTTPSignerV4 = newSigner(off) })
		_, err := skewed.get("a")
		d.refused(what, err, "RequestTimeTooSkewed")
	}
	slow := open(d.TB, d.endpoint, func(o *s3.Options) { o.HTTPSignerV4 = newSigner(-14 * time.Minute) })
	slow.wantBody("a", "secret")
}

// link signs a read of a key for 15 minutes, by a clock that is off by so much.
func (d desk) link(key string, off time.Duration, change func(*s3.GetObjectInput)) string {
	d.Helper()
	in := &s3.GetObjectInput{Bucket: &d.bucket, Key: &key}
	if change != nil {
		change(in)
	}
	link, err := d.sign.PresignGetObject(d.Context(), in, func(o *s3.PresignOptions) {
		o.Expires, o.Presigner = 15*time.Minute, newSigner(off)
	})
	if err != nil {
		d.Fatalf("sign a link: %v", err)
	}
	return link.URL
}

func linkToRead(d desk) {
	d.put("a b", "secret")
	link := d.link("a b", 0, nil)
	if a := d.do("GET", link, nil, nil); a.status != http.StatusOK || a.body != "secret" {
		d.Errorf("answer %+v", a)
	}
	if a := d.do("GET", link, map[string]string{"Range": "bytes=1-2"}, nil); a.status != http.StatusPartialContent || a.body != "ec" {
		d.Errorf("answer to a range %+v", a)
	}
	d.wantAnswer("of nothing", d.do("GET", d.link("none", 0, nil), nil, nil), http.StatusNotFound, "NoSuchKey")
}

func linkWithHeaders(d desk) {
	d.put("a", "secret")
	a := d.do("GET", d.link("a", 0, func(in *s3.GetObjectInput) {
		in.ResponseContentDisposition = aws.String(`attachment; filename="a b.tar"`)
		in.ResponseContentType = aws.String("application/x-tar")
		in.ResponseCacheControl = aws.String("private, no-store")
		in.ResponseContentLanguage = aws.String("de")
	}), nil, nil)
	d.wantAnswer("get", a, http.StatusOK, "")
	for name, want := range map[string]string{
		"Content-Disposition": `attachment; filename="a b.tar"`, "Content-Type": "application/x-tar", "Cache-Control": "private, no-store", "Content-Language": "de",
	} {
		if got := a.header.Get(name); got != want {
			d.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func tamperedLink(d desk) {
	d.put("a", "secret")
	d.put("b", "another")
	link := d.link("a", 0, func(in *s3.GetObjectInput) {
		in.ResponseContentDisposition = aws.String("attachment; filename=result.tar")
	})
	for what, url := range map[string]string{
		"another file name": strings.Replace(link, "result.tar", "virus.exe", 1),
		"a longer life":     strings.Replace(link, "X-Amz-Expires=900", "X-Amz-Expires=9000", 1),
		"another key":       strings.Replace(link, d.bucket+"/a?", d.bucket+"/b?", 1),
		"a longer text":     link + "0",
	} {
		d.wantAnswer(what, d.do("GET", url, nil, nil), http.StatusForbidden, "SignatureDoesNotMatch")
	}
	d.wantAnswer("another method", d.do("PUT", link, nil, strings.NewReader("x")), http.StatusForbidden, "SignatureDoesNotMatch")
	d.wantAnswer("a header that was not signed", d.do("GET", link, map[string]string{"X-Amz-Meta-Work": "7"}, nil), http.StatusForbidden, "AccessDenied")
	d.wantBody("a", "secret")
}

func linkInTime(d desk) {
	d.put("a", "secret")
	d.wantAnswer("signed in 16 minutes", d.do("GET", d.link("a", 16*time.Minute, nil), nil, nil), http.StatusForbidden, "AccessDenied")
	d.wantAnswer("signed 14 minutes ago", d.do("GET", d.link("a", -14*time.Minute, nil), nil, nil), http.StatusOK, "")
	d.wantAnswer("signed 15 minutes ago", d.do("GET", d.link("a", -15*time.Minute-time.Second, nil), nil, nil), http.StatusForbidden, "AccessDenied")
}

func linkToWrite(d desk) {
	link, err := d.sign.PresignPutObject(d.Context(), &s3.PutObjectInput{
		Bucket: &d.bucket, Key: aws.String("a"), ChecksumSHA256: aws.String(sha("right")), ContentLength: aws.Int64(5)})
	if err != nil {
		d.Fatalf("sign a link: %v", err)
	}
	header := map[string]string{}
	for name := range link.SignedHeader {
		if name != "Host" && name != "Content-Length" {
			header[name] = link.SignedHeader.Get(name)
		}
	}
	d.wantAnswer("other bytes", d.do("PUT", link.URL, header, strings.NewReader("wrong")), http.StatusBadRequest, "BadDigest")
	d.wantAbsent("a")
	d.wantAnswer("more bytes", d.do("PUT", link.URL, header, strings.NewReader("longer")), http.StatusForbidden, "SignatureDoesNotMatch")
	d.wantAnswer("as signed", d.do("PUT", link.URL, header, strings.NewReader("right")), http.StatusOK, "")
	d.wantBody("a", "right")
}
