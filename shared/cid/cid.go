// Package cid names result archives as IPFS does, so that iExec's clients find
// them: a content id (CID) of version 1 with the codec raw over the archive's
// SHA-256. Such a name follows from the digest alone, whatever the size. The
// package owns the names; it knows no file and no network.
package cid

import (
	"encoding/json"
	"fmt"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"workerpool/shared/pool"
)

// mostText bounds what Parse looks at: 36 bytes in binary digits, the longest
// alphabet there is, with its letter in front.
const mostText = 1 + 8*36

// Of gives the content id of an archive, in the alphabet base32 in which version 1
// is usually written.
func Of(file pool.Digest) string {
	hash, err := multihash.Encode(file[:], multihash.SHA2_256)
	if err != nil { // the code is known and the length is right
		panic(fmt.Sprintf("cid: %v", err))
	}
	return cid.NewCidV1(cid.Raw, hash).String()
}

// Parse gives the digest of the archive that a content id names, in whichever
// alphabet it is written. Ids of version 0, of other codecs and of other hashes
// name nothing that this pool has: they are errors like what is no id at all.
func Parse(text string) (pool.Digest, error) {
	if len(text) > mostText {
		return pool.Digest{}, fmt.Errorf("no content id has %d characters", len(text))
	}
	id, err := cid.Decode(text)
	if err != nil {
		return pool.Digest{}, fmt.Errorf("not a content id: %w", err)
	}
	if p := id.Prefix(); p.Version != 1 || p.Codec != cid.Raw || p.MhType != multihash.SHA2_256 || p.MhLength != len(pool.Digest{}) {
		return pool.Digest{}, fmt.Errorf("a content id of version 1, codec raw and SHA-256 is wanted, this is of version %d, codec 0x%x and hash 0x%x with %d bytes",
			p.Version, p.Codec, p.MhType, p.MhLength)
	}
	hash, err := multihash.Decode(id.Hash())
	if err != nil {
		return pool.Digest{}, fmt.Errorf("not a content id: %w", err)
	}
	return pool.Digest(hash.Digest), nil
}

// Path is where a gateway of IPFS, and this pool, serve an archive.
func Path(file pool.Digest) string { return "/ipfs/" + Of(file) }

// Results is what a finalized task tells on the chain of where its archive lies,
// as iExec's clients read it (execution/task.js and result.js of npm iexec 8.24.0:
// location is resolved against the gateway's address).
func Results(file pool.Digest) []byte {
	text, err := json.Marshal(struct {
		Storage  string `json:"storage"`
		Location string `json:"location"`
	}{"ipfs", Path(file)})
	if err != nil { // strings can always be written
		panic(fmt.Sprintf("cid: %v", err))
	}
	return text
}
