package s3

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// listParameters are those of ListObjectsV2 that are known here: no delimiter, no
// encoding.
var listParameters = map[string]bool{"list-type": true, "prefix": true, "max-keys": true, "start-after": true, "continuation-token": true}

type listing struct {
	XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
	Name                  string
	Prefix                string
	KeyCount              int
	MaxKeys               int
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []listed
}

type listed struct {
	Key          string
	LastModified string
	ETag         string
	Size         int64
	StorageClass string
}

func (b *Buckets) listObjects(c call) error {
	query := c.r.URL.Query()
	out := listing{Name: c.name, Prefix: query.Get("prefix"), MaxKeys: 1000}
	if text := query.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return refuse(http.StatusBadRequest, "InvalidArgument", "max-keys must be a number from 0")
		}
		out.MaxKeys = min(n, 1000)
	}
	after := query.Get("start-after")
	if token := query.Get("continuation-token"); token != "" {
		key, err := base64.URLEncoding.DecodeString(token)
		if err != nil {
			return refuse(http.StatusBadRequest, "InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(key)
	}
	keys, err := c.disk.keys(out.Prefix, after)
	if err != nil {
		return err
	}
	if len(keys) > out.MaxKeys {
		keys, out.IsTruncated = keys[:out.MaxKeys], out.MaxKeys > 0
	}
	if out.IsTruncated {
		out.NextContinuationToken = base64.URLEncoding.EncodeToString([]byte(keys[len(keys)-1]))
	}
	for _, key := range keys {
		f, a, err := c.disk.open(key)
		var gone *fault
		if errors.As(err, &gone) {
			continue // deleted since the walk
		}
		if err != nil {
			return err
		}
		_ = f.Close() // only read
		out.Contents = append(out.Contents, listed{key, a.ModTime.UTC().Format(time.RFC3339), `"` + a.ETag + `"`, a.Size, "STANDARD"})
	}
	out.KeyCount = len(out.Contents)
	writeXML(c.w, http.StatusOK, out)
	return nil
}
