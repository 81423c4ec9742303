//go:build linux

package outside

import (
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

func TestPublic(t *testing.T) {
	for text, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "93.184.215.14": true, "9.255.255.255": true, "11.0.0.0": true, "100.63.255.255": true, "100.128.0.0": true,
		"172.15.255.255": true, "172.32.0.0": true, "192.167.255.255": true, "192.169.0.0": true, "169.253.255.255": true, "169.255.0.0": true, "223.255.255.255": true,
		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "10.255.255.255": false, "100.64.0.0": false, "100.100.100.200": false, "100.127.255.255": false,
		"127.0.0.1": false, "127.255.255.254": false, "168.63.129.16": false, "168.63.129.17": true, "169.254.169.254": false, "169.254.0.0": false,
		"172.16.0.0": false, "172.31.255.255": false, "192.0.0.192": false, "192.0.2.1": false, "192.88.99.1": false, "192.168.0.1": false, "198.18.0.1": false,
		"198.19.255.255": false, "198.51.100.1": false, "203.0.113.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
		"2606:4700:4700::1111": true, "2a00:1450:4001:81b::200e": true, "2620:fe::fe": true,
		"::": false, "::1": false, "::127.0.0.1": false, "::8.8.8.8": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false,
		"2606:4700:4700::1111%eth0": false, "fec0::1": false, "ff02::1": false, "100::1": false, "5f00::1": false, "2001::1": false, "2001:2::1": false, "2001:20::1": false,
		"2001:db8::1": false, "2002:0808:0808::1": false, "2002:7f00:1::": false, "3fff::1": false, "4000::1": false,
		"::ffff:8.8.8.8": true, "::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:10.0.0.1": false,
		"64:ff9b::8.8.8.8": true, "64:ff9b::127.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::192.168.1.1": false, "64:ff9b:1::8.8.8.8": false, "64:ff9b::1:8.8.8.8": false,
	} {
		if got := public(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s is public: %v", text, got)
		}
	}
	if public(netip.Addr{}) {
		t.Error("no address is a public one")
	}
}

// An address is not public in any form that holds it when it is not by itself; the
// standard library's own words are the measure of what must never be.
func TestEmbeddedAddresses(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := [4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "IPv4"))
		copy(b[:], rapid.SampledFrom([][]byte{nil, {10}, {127}, {169, 254}, {192, 168}, {172, 16}, {100, 64}, {224}, {0}}).Draw(t, "head"))
		plain := netip.AddrFrom4(b)
		never := plain.IsPrivate() || plain.IsLoopback() || plain.IsLinkLocalUnicast() || plain.IsMulticast() || plain.IsUnspecified()
		if public(plain) && never {
			t.Fatalf("%v is public", plain)
		}
		mapped, nat := [16]byte{10: 0xff, 11: 0xff}, [16]byte{1: 0x64, 2: 0xff, 3: 0x9b}
		copy(mapped[12:], b[:])
		copy(nat[12:], b[:])
		for _, form := range [][16]byte{mapped, nat} {
			if a := netip.AddrFrom16(form); public(a) != public(plain) {
				t.Fatalf("%v is public: %v, %v: %v", a, public(a), plain, public(plain))
			}
		}
		compatible, six := [16]byte{}, [16]byte{0x20, 0x02}
		copy(compatible[12:], b[:])
		copy(six[2:], b[:])
		for _, form := range [][16]byte{compatible, six} {
			if a := netip.AddrFrom16(form); public(a) {
				t.Fatalf("%v is public", a)
			}
		}
		any := netip.AddrFrom16([16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "IPv6")))
		if public(any) && (any.IsPrivate() || any.IsLoopback() || any.IsLinkLocalUnicast() || any.IsMulticast() || any.IsUnspecified() || !any.IsGlobalUnicast()) {
			t.Fatalf("%v is public", any)
		}
	})
}

// What is dialled is judged, by the address alone.
func TestPublicOnly(t *testing.T) {
	for address, want := range map[string]bool{
		"1.1.1.1:80": true, "[2606:4700::1111]:443": true, "127.0.0.1:80": false, "[::1]:80": false, "[fe80::1%lo]:80": false, "[::ffff:10.1.2.3]:80": false,
		"example.com:80": false, "1.1.1.1": false, "": false, "/run/engine.sock": false,
	} {
		for _, network := range []string{"tcp", "tcp4", "tcp6"} {
			if err := publicOnly(network, address, nil); (err == nil) != want || err != nil && !errors.Is(err, errPrivate) {
				t.Errorf("%s %s: %v", network, address, err)
			}
		}
		for _, network := range []string{"udp", "unix", "ip"} {
			if publicOnly(network, address, nil) == nil {
				t.Errorf("%s %s may be dialled", network, address)
			}
		}
	}
}

func FuzzPublicOnly(f *testing.F) {
	f.Add("[::ffff:127.0.0.1]:80")
	f.Add("[64:ff9b::7f00:1]:1")
	f.Fuzz(func(t *testing.T, address string) {
		if publicOnly("tcp", address, nil) != nil {
			return
		}
		to, err := netip.ParseAddrPort(address)
		if a := to.Addr().Unmap(); err != nil || !a.IsGlobalUnicast() || a.IsPrivate() || a.Zone() != "" {
			t.Errorf("%q may be dialled", address)
		}
	})
}
