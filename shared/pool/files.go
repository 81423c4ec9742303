package pool

import (
	"fmt"
	"time"
)

// Upload is what a link to the bucket lets in: these bytes under this key and
// nothing else.
type Upload struct {
	Key         string
	Digest      Digest
	Size        int64 // bytes, exactly
	ContentType string
	Life        time.Duration // of the link
}

// Link leads to one object of the bucket until Expires: to read it, or with
// Fields to upload it as a multipart form, the bytes last, as the part "file".
type Link struct {
	URL     string
	Fields  map[string]string
	Expires time.Time
}

// Object is what the bucket says of one.
type Object struct {
	Size   int64         // bytes
	Digest Digest        // zero when it was stored without a SHA-256
	Age    time.Duration // since it was stored
}

// InputKey is where an input of a requester lies: by content, so that a file of
// many works is uploaded once, and below its requester, so that nobody can see
// by a missing upload what others have.
func InputKey(requester AccountID, digest Digest) string {
	return fmt.Sprintf("inputs/%d/%s", requester, digest)
}

// ResultKey is where the result of a work lies, by the SHA-256 of its bytes. Only
// agreeing workers get a link to it, and a link lets in only bytes of that digest,
// so nobody can put anything else in its place.
func ResultKey(origin Origin, work WorkID, digest Digest) string {
	return fmt.Sprintf("results/%d/%s%s", work, digest, origin.ResultSuffix())
}

// ResultSuffix ends the names of the files that results are: a deal's is a zip, as
// iExec's clients expect it, any other a tar.
func (o Origin) ResultSuffix() string {
	if o == OriginDeal {
		return ".zip"
	}
	return ".tar"
}

// ResultType is the content type of such a file.
func (o Origin) ResultType() string {
	if o == OriginDeal {
		return "application/zip"
	}
	return "application/x-tar"
}
