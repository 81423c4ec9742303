package s3_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func formUploads(d desk) {
	const body = "line\r\n--not a boundary\x00\xff"
	f := d.newForm("works/7/a b.tar", []any{
		[]any{"content-length-range", 1, 100}, map[string]string{"x-amz-checksum-sha256": sha(body)}, []any{"eq", "$Content-Type", "application/x-tar"},
	}, map[string]string{"x-amz-checksum-sha256": sha(body), "Content-Type": "application/x-tar"})
	d.wantAnswer("post", d.post(f, body), http.StatusNoContent, "")
	d.wantBody("works/7/a b.tar", body)
	head, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: &d.bucket, Key: aws.String("works/7/a b.tar"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || aws.ToString(head.ChecksumSHA256) != sha(body) || aws.ToString(head.ContentType) != "application/x-tar" {
		d.Errorf("head %+v, %v", head, err)
	}
}

func formAnswers(d desk) {
	for status, want := range map[string]int{"": 204, "200": 200, "201": 201, "204": 204, "999": 204} {
		field := map[string]string{"success_action_status": status}
		f := d.newForm("a", []any{field}, field)
		a := d.post(f, "x")
		if a.status != want {
			d.Errorf("asked for status %q: %d, want %d", status, a.status, want)
		}
		if a.header.Get("ETag") == "" {
			d.Errorf("asked for status %q: no ETag", status)
		}
		if !strings.HasSuffix(a.header.Get("Location"), "/a") {
			d.Errorf("asked for status %q: location %q", status, a.header.Get("Location"))
		}
	}
}

func formLength(d desk) {
	f := d.newForm("a", []any{[]any{"content-length-range", 3, 10}}, nil)
	d.wantAnswer("11 bytes", d.post(f, strings.Repeat("x", 11)), http.StatusBadRequest, "EntityTooLarge")
	d.wantAnswer("2 bytes", d.post(f, "xx"), http.StatusBadRequest, "EntityTooSmall")
	d.wantAbsent("a")
	d.wantAnswer("10 bytes", d.post(f, strings.Repeat("x", 10)), http.StatusNoContent, "")
	d.wantAnswer("11 bytes over an object", d.post(f, strings.Repeat("y", 11)), http.StatusBadRequest, "EntityTooLarge")
	d.wantBody("a", strings.Repeat("x", 10))
	d.wantAnswer("3 bytes", d.post(f, "xxx"), http.StatusNoContent, "")
	d.wantBody("a", "xxx")
}

func formDigest(d desk) {
	digest := map[string]string{"x-amz-checksum-sha256": sha("right")}
	f := d.newForm("a", []any{digest}, digest)
	d.wantAnswer("other bytes", d.post(f, "wrong"), http.StatusBadRequest, "BadDigest")
	d.wantAbsent("a")
	f.fields["x-amz-checksum-sha256"] = sha("wrong")
	d.wantAnswer("a digest that was not signed", d.post(f, "wrong"), http.StatusForbidden, "AccessDenied")
	delete(f.fields, "x-amz-checksum-sha256")
	d.wantAnswer("no digest", d.post(f, "wrong"), http.StatusForbidden, "AccessDenied")
	d.wantAbsent("a")
}

func formExpired(d desk) {
	d.wantAnswer("ten seconds before", d.post(d.newFormFor(10*time.Second, "a", nil, nil), "x"), http.StatusNoContent, "")
	d.wantAnswer("a second after", d.post(d.newFormFor(-time.Second, "a", nil, nil), "y"), http.StatusForbidden, "AccessDenied")
	d.wantBody("a", "x")
}

func formTampered(d desk) {
	longer := func(f form) {
		text, err := base64.StdEncoding.DecodeString(f.fields["policy"])
		if err != nil {
			d.Fatal(err)
		}
		f.fields["policy"] = base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(text), "10]", "99]", 1)))
	}
	for what, c := range map[string]struct {
		code   string
		change func(form)
	}{
		"another policy": {"SignatureDoesNotMatch", longer},
		"another key": {"InvalidAccessKeyId", func(f form) {
			f.fields["X-Amz-Credential"] = "nobody" + strings.TrimPrefix(f.fields["X-Amz-Credential"], "local")
		}},
		"another signature": {"SignatureDoesNotMatch", func(f form) {
			flipped := "0"
			if strings.HasSuffix(f.fields["X-Amz-Signature"], "0") {
				flipped = "1"
			}
			f.fields["X-Amz-Signature"] = f.fields["X-Amz-Signature"][:63] + flipped
		}},
	} {
		f := d.newForm("a", []any{[]any{"content-length-range", 3, 10}}, nil)
		c.change(f)
		d.wantAnswer(what, d.post(f, "xxxx"), http.StatusForbidden, c.code)
	}
	d.wantAbsent("a")
}

func formConditions(d desk) {
	under := []any{[]any{"starts-with", "$key", "works/7/"}, []any{"starts-with", "$Content-Type", ""}}
	for _, c := range []struct {
		name       string
		conditions []any
		change     map[string]string
		url        string
		allowed    bool
	}{
		{name: "as signed", allowed: true},
		{name: "another key", change: map[string]string{"key": "works/8/a"}},
		{name: "field without a condition", change: map[string]string{"Content-Type": "text/html"}},
		{name: "ignored field", change: map[string]string{"x-ignore-note": "x"}, allowed: true},
		{name: "key below the prefix", conditions: under, change: map[string]string{"key": "works/7/b", "Content-Type": "a/b"}, allowed: true},
		{name: "key beside the prefix", conditions: under, change: map[string]string{"key": "works/77"}},
		{name: "required field is missing", conditions: []any{map[string]string{"x-amz-meta-work": "7"}}},
		{name: "required field differs", conditions: []any{map[string]string{"x-amz-meta-work": "7"}}, change: map[string]string{"x-amz-meta-work": "8"}},
		{name: "required field is right", conditions: []any{map[string]string{"x-amz-meta-work": "7"}}, change: map[string]string{"x-amz-meta-work": "7"}, allowed: true},
		{name: "sent to another bucket", url: "/" + d.other},
		{name: "another bucket named", change: map[string]string{"bucket": d.other}},
	} {
		f := d.newForm("works/7/a", c.conditions, c.change)
		if c.url != "" {
			f.url = d.endpoint.url + c.url
		}
		a := d.post(f, "x")
		if c.allowed {
			d.wantAnswer(c.name, a, http.StatusNoContent, "")
		} else {
			d.wantAnswer(c.name, a, http.StatusForbidden, "AccessDenied")
		}
	}
}
