//go:build linux

package main

import (
	"net"
	"net/url"
	"strings"
)

// address gives the pool's URL as all spellings of it have it: its scheme, host
// and path.
func address(pool string) string {
	u, err := url.Parse(pool)
	if err != nil {
		return pool // not one that the client took
	}
	host := strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	return u.Scheme + "://" + host + strings.TrimRight(u.EscapedPath(), "/")
}

// inTheClear tells that what is sent can be read on the way.
func inTheClear(pool string) bool {
	u, err := url.Parse(pool)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return ip == nil || !ip.IsLoopback()
}
