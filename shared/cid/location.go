package cid

import (
	"encoding/binary"

	"github.com/ipfs/go-cid"
)

// p2p is the code of what a multiaddr names by its content id.
const p2p = 421

// Location gives where a thing lies, of the bytes that iExec's contracts have for it:
// "/ipfs/" and a content id of a binary multiaddr that is one of IPFS, and of all
// others what they are as text. So do iExec's clients (multiaddrHexToHuman of npm
// iexec 9.0.1, MultiAddressHelper of iexec-commons-poco).
func Location(multiaddr []byte) string {
	code, n := binary.Uvarint(multiaddr)
	if n <= 0 || code != p2p {
		return string(multiaddr)
	}
	size, m := binary.Uvarint(multiaddr[n:])
	if id := multiaddr[n+max(m, 0):]; m > 0 && size == uint64(len(id)) {
		if known, err := cid.Cast(id); err == nil {
			return "/ipfs/" + known.String()
		}
	}
	return string(multiaddr)
}
