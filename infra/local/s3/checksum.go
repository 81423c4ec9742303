package s3

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"workerpool/infra/local/sigv4"
)

// checksums are S3's checksum headers with the hash behind each; the values
// travel in base64.
var checksums = map[string]func() hash.Hash{
	"x-amz-checksum-crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"x-amz-checksum-crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"x-amz-checksum-crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(0x9a6c9329ac4bc9b5)) },
	"x-amz-checksum-sha1":      sha1.New,
	"x-amz-checksum-sha256":    sha256.New,
}

// digests hashes the bytes of one upload in all the ways its sender named.
type digests struct {
	md5     hash.Hash // the ETag, and Content-MD5
	payload hash.Hash // x-amz-content-sha256
	named   map[string]hash.Hash
}

// newDigests prepares the checksums that header claims or announces for the
// trailer; one that cannot be checked here is refused.
func newDigests(header http.Header) (*digests, error) {
	d := &digests{md5: md5.New(), payload: sha256.New(), named: map[string]hash.Hash{}}
	names := slices.Collect(maps.Keys(header))
	if trailer := header.Get("X-Amz-Trailer"); trailer != "" {
		names = append(names, trailer)
	}
	for _, name := range names {
		name = strings.ToLower(name)
		switch hasher, known := checksums[name]; {
		case known:
			d.named[name] = hasher()
			claimed := header.Get(name)
			sum, err := base64.StdEncoding.DecodeString(claimed)
			if claimed != "" && (err != nil || len(sum) != d.named[name].Size()) {
				return nil, refuse(http.StatusBadRequest, "InvalidRequest", "Value for %s header is invalid.", name)
			}
		case strings.HasPrefix(name, "x-amz-checksum-") && name != "x-amz-checksum-algorithm":
			return nil, refuse(http.StatusNotImplemented, "NotImplemented", "%s is not known here.", name)
		}
	}
	return d, nil
}

func (d *digests) Write(p []byte) (int, error) {
	d.md5.Write(p) // hashes never fail
	d.payload.Write(p)
	for _, h := range d.named {
		h.Write(p)
	}
	return len(p), nil
}

// verify compares what was claimed in the header, or in the trailer, with the
// bytes, and answers the checksums to keep.
func (d *digests) verify(header, trailer http.Header) (map[string]string, error) {
	if want := header.Get("Content-Md5"); want != "" && want != base64.StdEncoding.EncodeToString(d.md5.Sum(nil)) {
		return nil, refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	if want := header.Get(sigv4.PayloadHeader); len(want) == hex.EncodedLen(sha256.Size) && want != hex.EncodeToString(d.payload.Sum(nil)) {
		return nil, refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	kept := map[string]string{}
	for name, h := range d.named {
		claimed := header.Get(name)
		if claimed == "" {
			claimed = trailer.Get(name)
		}
		kept[name] = base64.StdEncoding.EncodeToString(h.Sum(nil))
		if claimed != kept[name] {
			return nil, refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.",
				strings.ToUpper(strings.TrimPrefix(name, "x-amz-checksum-")))
		}
	}
	return kept, nil
}

// bounded reads at most max bytes and says EntityTooLarge when there are more.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return 0, refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	return n, err
}
