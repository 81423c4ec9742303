//go:build linux

package outside

import (
	"net/netip"
	"strings"
	"syscall"
)

// publicOnly lets a connection be made to public addresses only. It is asked for
// each address that is dialled, after names were looked up: a name that leads
// elsewhere at the second look does not help.
func publicOnly(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !strings.HasPrefix(network, "tcp") || !public(to.Addr()) {
		return errPrivate
	}
	return nil
}

// special are the blocks of IANA's registries of special-purpose addresses that are
// no public hosts, beside what is not in world: private, shared (CGNAT), loopback
// and link-local, where clouds tell machines their secrets, documentation,
// benchmarks, multicast, and what is reserved. 168.63.129.16 is public by number but
// each machine's own host in Azure.
var special = blocks(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	// Teredo and the like; documentation; 6to4, which holds an IPv4 address and is of no use any more.
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// world is what of IPv6 is given to hosts; local, mapped and compatible addresses are
// outside.
var world = netip.MustParsePrefix("2000::/3")

// nat64 is where networks without IPv4 put all of it (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func blocks(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range texts {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

// public tells an address that anybody may reach: not one of the networks that the
// machine is in, in whatever form it is written.
func public(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		last := a.As16()
		a = netip.AddrFrom4([4]byte(last[12:]))
	}
	if a.Is6() && !world.Contains(a) {
		return false
	}
	for _, block := range special {
		if block.Contains(a) {
			return false
		}
	}
	return true
}
