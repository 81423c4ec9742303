package s3_test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"strings"
	"time"

	"workerpool/shared/blob"
	"workerpool/shared/pool"
	"workerpool/test/oracle"
)

const key = "inputs/7/0/scene one+\u00fc.blend"

// door opens the pool's own door to the bucket.
func (d desk) door() *blob.Bucket {
	d.Helper()
	var b *blob.Bucket
	var err error
	oracle.Environment(map[string]string{
		"AWS_ENDPOINT_URL_S3": d.endpoint.url, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local-secret",
	}, func() { b, err = blob.Open(d.Context(), blob.Config{Bucket: d.bucket, PathStyle: true}) })
	if err != nil {
		d.Fatalf("open the door: %v", err)
	}
	return b
}

func (d desk) poolForm(b *blob.Bucket, content string, life time.Duration) form {
	d.Helper()
	link, err := b.PresignPost(d.Context(), pool.Upload{
		Key: key, Digest: sha256.Sum256([]byte(content)), Size: int64(len(content)), ContentType: "application/x-tar", Life: life,
	})
	if err != nil {
		d.Fatalf("make a form: %v", err)
	}
	return form{link.URL, link.Fields}
}

func (d desk) look(b *blob.Bucket) (pool.Object, bool) {
	d.Helper()
	object, found, err := b.Head(d.Context(), key)
	if err != nil {
		d.Fatalf("look: %v", err)
	}
	return object, found
}

func poolUpload(d desk) {
	b := d.door()
	for _, content := range []string{"some bytes", "other", ""} {
		f := d.poolForm(b, content, time.Hour)
		for _, what := range []string{"upload", "the same again"} {
			d.wantAnswer(what, d.post(f, content), http.StatusNoContent, "")
		}
		object, found := d.look(b)
		if !found || object.Size != int64(len(content)) || object.Digest != sha256.Sum256([]byte(content)) {
			d.Errorf("found %v %+v, want %q", found, object, content)
		}
		if object.Age < -time.Minute || object.Age > time.Minute {
			d.Errorf("the age of an object stored just now is %v", object.Age)
		}
	}
}

func poolUploadByOthers(d desk) {
	const content = "some bytes"
	b := d.door()
	good := d.poolForm(b, content, time.Hour)
	other := sha256.Sum256([]byte("some bytez"))
	changed := func(name, value string) form {
		f := form{good.url, maps.Clone(good.fields)}
		f.fields[name] = value
		if value == "" {
			delete(f.fields, name)
		}
		return f
	}
	for what, c := range map[string]struct {
		form    form
		content string
		status  int
		code    string
	}{
		"a byte less":          {good, "some byte", 400, "EntityTooSmall"},
		"a byte more":          {good, "some bytes!", 400, "EntityTooLarge"},
		"other bytes":          {good, "some bytez", 400, "BadDigest"},
		"another digest":       {changed("x-amz-checksum-sha256", base64.StdEncoding.EncodeToString(other[:])), "some bytez", 403, "AccessDenied"},
		"no digest":            {changed("x-amz-checksum-sha256", ""), "some bytez", 403, "AccessDenied"},
		"another algorithm":    {changed("x-amz-checksum-algorithm", "CRC32"), content, 403, "AccessDenied"},
		"another key":          {changed("key", "inputs/8/0/scene"), content, 403, "AccessDenied"},
		"another type":         {changed("Content-Type", "text/html"), content, 403, "AccessDenied"},
		"no type":              {changed("Content-Type", ""), content, 403, "AccessDenied"},
		"readable by everyone": {changed("acl", "public-read"), content, 403, "AccessDenied"},
		"after its life":       {d.poolForm(b, content, -time.Second), content, 403, "AccessDenied"},
	} {
		d.wantAnswer(what, d.post(c.form, c.content), c.status, c.code)
	}
	if object, found := d.look(b); found {
		d.Errorf("found %+v", object)
	}
}

func poolLink(d desk) {
	b := d.door()
	d.wantAnswer("upload", d.post(d.poolForm(b, "some bytes", time.Hour), "some bytes"), http.StatusNoContent, "")
	link, err := b.PresignGet(d.Context(), key, "re/sult \"\u00fc\"\n.tar")
	if err != nil {
		d.Fatalf("make a link: %v", err)
	}
	a := d.do("GET", link.URL, nil, nil)
	if a.status != http.StatusOK || a.body != "some bytes" {
		d.Errorf("answer %+v", a)
	}
	for name, want := range map[string]string{
		"Content-Disposition": "attachment; filename*=utf-8''re_sult%20_%C3%BC__.tar",
		"Content-Type":        "application/octet-stream",
		"Cache-Control":       "private, no-store",
	} {
		if got := a.header.Get(name); got != want {
			d.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	d.wantAnswer("another key", d.do("GET", strings.Replace(link.URL, "inputs/7", "inputs/8", 1), nil, nil), http.StatusForbidden, "SignatureDoesNotMatch")
}

func poolLooksAtNothing(d desk) {
	if object, found := d.look(d.door()); found {
		d.Errorf("found %+v in an empty bucket", object)
	}
}
