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
	d.wantAnswer(d.post(f, body), http.StatusNoContent, "")
	d.wantBody("works/7/a b.tar", body)
	head, err := d.api.HeadObject(d.Context(), &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String("works/7/a b.tar"), ChecksumMode: types.ChecksumModeEnabled})
	if err != nil || aws.ToString(head.ChecksumSHA256) != sha(body) || aws.ToString(head.ContentType) != "application/x-tar" {
		d.Errorf("head %+v, %v", head, err)
	}
	for status, want := range map[string]int{"200": 200, "201": 201, "204": 204, "999": 204} {
		f := d.newForm("a", []any{map[string]string{"success_action_status": status}}, map[string]string{"success_action_status": status})
		if a := d.post(f, "x"); a.status != want || a.header.Get("ETag") == "" {
			d.Errorf("asked for status %s: %+v", status, a)
		}
	}
}

func formLength(d desk) {
	f := d.newForm("a", []any{[]any{"content-length-range", 3, 10}}, nil)
	d.wantAnswer(d.post(f, strings.Repeat("x", 11)), http.StatusBadRequest, "EntityTooLarge")
	d.wantAnswer(d.post(f, "xx"), http.StatusBadRequest, "EntityTooSmall")
	d.wantAbsent("a")
	d.wantAnswer(d.post(f, strings.Repeat("x", 10)), http.StatusNoContent, "")
	d.wantAnswer(d.post(f, strings.Repeat("y", 11)), http.StatusBadRequest, "EntityTooLarge")
	d.wantBody("a", strings.Repeat("x", 10))
	d.wantAnswer(d.post(f, "xxx"), http.StatusNoContent, "")
	d.wantBody("a", "xxx")
}

func formDigest(d desk) {
	f := d.newForm("a", []any{map[string]string{"x-amz-checksum-sha256": sha("right")}}, map[string]string{"x-amz-checksum-sha256": sha("right")})
	d.wantAnswer(d.post(f, "wrong"), http.StatusBadRequest, "BadDigest")
	d.wantAbsent("a")
	f.fields["x-amz-checksum-sha256"] = sha("wrong") // true of the bytes, but not what was signed
	d.wantAnswer(d.post(f, "wrong"), http.StatusForbidden, "AccessDenied")
	delete(f.fields, "x-amz-checksum-sha256")
	d.wantAnswer(d.post(f, "wrong"), http.StatusForbidden, "AccessDenied")
	d.wantAbsent("a")
}

func formExpired(d desk) {
	f := d.newForm("a", nil, nil)
	d.advance(9*time.Minute + 50*time.Second)
	d.wantAnswer(d.post(f, "x"), http.StatusNoContent, "")
	d.advance(20 * time.Second)
	d.wantAnswer(d.post(f, "y"), http.StatusForbidden, "AccessDenied")
	d.advance(-11 * time.Minute)
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
	for code, change := range map[string]func(form){
		"SignatureDoesNotMatch": longer,
		"InvalidAccessKeyId": func(f form) {
			f.fields["X-Amz-Credential"] = "nobody" + strings.TrimPrefix(f.fields["X-Amz-Credential"], "local")
		},
		"AccessDenied": func(f form) { delete(f.fields, "policy") },
	} {
		f := d.newForm("a", []any{[]any{"content-length-range", 3, 10}}, nil)
		change(f)
		d.wantAnswer(d.post(f, "xxxx"), http.StatusForbidden, code)
	}
	f := d.newForm("a", nil, nil)
	flipped := "0"
	if strings.HasSuffix(f.fields["X-Amz-Signature"], "0") {
		flipped = "1"
	}
	f.fields["X-Amz-Signature"] = f.fields["X-Amz-Signature"][:63] + flipped
	d.wantAnswer(d.post(f, "x"), http.StatusForbidden, "SignatureDoesNotMatch")
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
		{name: "sent to another bucket", url: "/other-files"},
		{name: "another bucket named", change: map[string]string{"bucket": "other-files"}},
	} {
		f := d.newForm("works/7/a", c.conditions, c.change)
		if c.url != "" {
			f.url = d.url + c.url
		}
		a := d.post(f, "x")
		if c.allowed && a.status != http.StatusNoContent || !c.allowed && (a.status != http.StatusForbidden || a.code != "AccessDenied") {
			d.Errorf("%s: %+v, want allowed %v", c.name, a, c.allowed)
		}
	}
}
