// Package blob is the door to the bucket of inputs and results. It owns the
// links by which others move bytes and the check of what has arrived; no byte
// of a file passes through it. It must not choose keys or decide who may read.
package blob

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"workerpool/shared/pool"
)

// ReadLinkLife is how long a link of PresignGet is good.
const ReadLinkLife = 15 * time.Minute

const timeout = 3 * time.Second // of one Head with its retries

// Fault lets a test disturb a call: it is asked before the call (done false)
// and after it succeeded (done true); an error takes the place of the answer.
type Fault func(operation string, done bool) error

// Config is what a Bucket needs.
type Config struct {
	Bucket    string
	PathStyle bool  // the bucket's name stands in the path instead of the host
	Fault     Fault // nil outside tests
}

// Bucket makes links and looks at objects.
type Bucket struct {
	client  *s3.Client
	presign *s3.PresignClient
	config  Config
}

// Open makes a Bucket; region, credentials and endpoint come from the standard
// AWS variables. Nothing is asked of the bucket yet.
func Open(ctx context.Context, c Config) (*Bucket, error) {
	loaded, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("opening the bucket: %w", err)
	}
	client := s3.NewFromConfig(loaded, func(o *s3.Options) {
		o.UsePathStyle = c.PathStyle
		// A link must not ask more of whoever uses it than the link says.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	return &Bucket{client: client, presign: s3.NewPresignClient(client), config: c}, nil
}

// PresignPost makes the form that uploads exactly the bytes described, and
// nothing else. The error is pool.Unavailable when no credentials can be had.
func (b *Bucket) PresignPost(ctx context.Context, u pool.Upload) (pool.Link, error) {
	exact := map[string]string{
		"Content-Type":             u.ContentType,
		"x-amz-checksum-algorithm": "SHA256",
		"x-amz-checksum-sha256":    base64.StdEncoding.EncodeToString(u.Digest[:]),
	}
	conditions := []any{[]any{"content-length-range", u.Size, u.Size}}
	for _, name := range []string{"Content-Type", "x-amz-checksum-algorithm", "x-amz-checksum-sha256"} {
		conditions = append(conditions, map[string]string{name: exact[name]})
	}
	if err := b.disturb("PresignPostObject", false); err != nil {
		return pool.Link{}, pool.Down("the file store", err)
	}
	in := s3.PutObjectInput{Bucket: aws.String(b.config.Bucket), Key: aws.String(u.Key)}
	began := time.Now()
	out, err := b.presign.PresignPostObject(ctx, &in, func(o *s3.PresignPostOptions) {
		o.Expires, o.Conditions = u.Life, conditions
	})
	if err != nil {
		return pool.Link{}, pool.Down("the file store", fmt.Errorf("signing an upload of %s: %w", u.Key, err))
	}
	for name, value := range exact {
		out.Values[name] = value
	}
	return pool.Link{URL: out.URL, Fields: out.Values, Expires: began.Add(u.Life)}, nil
}

// PresignGet makes a link by which anybody can read the object for
// ReadLinkLife; a browser stores it under the file name and never shows it. The
// error is pool.Unavailable when no credentials can be had.
func (b *Bucket) PresignGet(ctx context.Context, key, filename string) (pool.Link, error) {
	if err := b.disturb("PresignGetObject", false); err != nil {
		return pool.Link{}, pool.Down("the file store", err)
	}
	began := time.Now()
	out, err := b.presign.PresignGetObject(ctx, &s3.GetObjectInput{
		Bucket: aws.String(b.config.Bucket), Key: aws.String(key),
		ResponseContentDisposition: aws.String(disposition(filename)),
		ResponseContentType:        aws.String("application/octet-stream"),
		ResponseCacheControl:       aws.String("private, no-store"),
	}, s3.WithPresignExpires(ReadLinkLife))
	if err != nil {
		return pool.Link{}, pool.Down("the file store", fmt.Errorf("signing a link to %s: %w", key, err))
	}
	return pool.Link{URL: out.URL, Expires: began.Add(ReadLinkLife)}, nil
}

func disposition(filename string) string {
	plain := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\"`, r) || r == 0x7f {
			return '_'
		}
		return r
	}, filename)
	return mime.FormatMediaType("attachment", map[string]string{"filename": plain})
}

// Head looks at an object; found is false when there is none. The error is
// pool.Unavailable.
func (b *Bucket) Head(ctx context.Context, key string) (object pool.Object, found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := b.disturb("HeadObject", false); err != nil {
		return pool.Object{}, false, pool.Down("the file store", err)
	}
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(b.config.Bucket), Key: aws.String(key), ChecksumMode: types.ChecksumModeEnabled,
	})
	if err != nil {
		var answer *awshttp.ResponseError
		if errors.As(err, &answer) && answer.HTTPStatusCode() == http.StatusNotFound {
			return pool.Object{}, false, nil
		}
		return pool.Object{}, false, pool.Down("the file store", fmt.Errorf("looking at %s: %w", key, err))
	}
	if err := b.disturb("HeadObject", true); err != nil {
		return pool.Object{}, false, pool.Down("the file store", err)
	}
	object.Size = aws.ToInt64(out.ContentLength)
	object.Age = time.Since(aws.ToTime(out.LastModified))
	sum, err := base64.StdEncoding.DecodeString(aws.ToString(out.ChecksumSHA256))
	if err == nil && len(sum) == len(object.Digest) {
		object.Digest = pool.Digest(sum)
	}
	return object, true, nil
}

func (b *Bucket) disturb(operation string, done bool) error {
	if b.config.Fault == nil {
		return nil
	}
	return b.config.Fault(operation, done)
}
