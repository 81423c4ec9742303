package storetest

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
)

// Wire is what a store's connections run through: it counts round trips, keeps
// what was said, and breaks a connection where a test wants it broken. To hear, it
// hides that a server offers TLS. Give its Dial to a store.
type Wire struct {
	mu    sync.Mutex
	trips int
	said  []string
	cutAt int // the trip at which the connection breaks; 0 = none
	after bool
}

// Dial connects over TCP.
func (w *Wire) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &tap{Conn: conn, wire: w}, nil
}

// Reset forgets what was counted and planned.
func (w *Wire) Reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trips, w.said, w.cutAt = 0, nil, 0
}

// Trips gives how many commands were sent since Reset. Each is one round trip.
func (w *Wire) Trips() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trips
}

// Said gives the statements that were sent since Reset, a round trip each.
func (w *Wire) Said() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.said)
}

// CutBefore resets and breaks the connection at the nth round trip from now,
// before the server has heard of it.
func (w *Wire) CutBefore(trip int) { w.cut(trip, false) }

// CutAfter resets and breaks the connection at the nth round trip from now, when
// the server has done all it was told, but nobody has heard its answer.
func (w *Wire) CutAfter(trip int) { w.cut(trip, true) }

func (w *Wire) cut(trip int, after bool) {
	w.Reset()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cutAt, w.after = trip, after
}

// heard notes a packet and tells whether the connection is to be cut at it.
func (w *Wire) heard(packet []byte) (cut, after bool) {
	const header, query, quit = 4, 3, 1
	if len(packet) <= header || packet[3] != 0 || packet[header] == quit {
		return false, false // part of connecting, of a long packet, or a farewell
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trips++
	if packet[header] == query {
		w.said = append(w.said, string(packet[header+1:]))
	}
	return w.trips == w.cutAt, w.after
}

type tap struct {
	net.Conn
	wire    *Wire
	greeted bool
	broken  bool
}

func (c *tap) Write(packet []byte) (int, error) {
	cut, after := c.wire.heard(packet)
	if !cut {
		return c.Conn.Write(packet)
	}
	c.broken = true
	if after {
		if _, err := c.Conn.Write(packet); err != nil {
			return 0, err
		}
		// The server answers in full before it sees that nothing more will come.
		if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
			return 0, err
		}
		if _, err := io.Copy(io.Discard, c.Conn); err != nil {
			return 0, err
		}
	}
	return len(packet), c.Conn.Close() // the sender cannot tell that it was in vain
}

func (c *tap) Read(p []byte) (int, error) {
	if c.broken {
		return 0, io.EOF
	}
	n, err := c.Conn.Read(p)
	if !c.greeted {
		c.greeted = true
		withoutTLS(p[:n])
	}
	return n, err
}

// withoutTLS takes CLIENT_SSL from what a server says it can do ("Protocol::
// HandshakeV10": its version is a text that ends with 0; 13 bytes further on begin
// its capabilities, the low byte first).
func withoutTLS(greeting []byte) {
	const header, version, ssl = 4, 1, 0x08 // of the second byte
	if len(greeting) < header+version {
		return
	}
	end := bytes.IndexByte(greeting[header+version:], 0)
	if at := header + version + end + 1 + 13 + 1; end >= 0 && at < len(greeting) {
		greeting[at] &^= ssl
	}
}

// Statements splits what was said in one round trip.
func Statements(said string) []string {
	var out []string
	for text := range strings.SplitSeq(said, ";\n") {
		if text != "" {
			out = append(out, text)
		}
	}
	return out
}
