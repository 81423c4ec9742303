//go:build linux

package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

// What deals name is fetched from public addresses, unless the owner says otherwise.
func TestSettingsOfFetching(t *testing.T) {
	with := func(more ...string) []string {
		return append([]string{"-pool", "https://pool.example.com", "-login", "me", "-apps", "sh=/bin/sh"}, more...)
	}
	secret := from(map[string]string{"WORKER_PASSWORD": "hush"})
	c, err := configure(with(), secret, io.Discard)
	if err != nil || c.fetching.private || len(c.fetching.gateways) != 3 {
		t.Fatalf("%+v, %v", c.fetching, err)
	}
	fetcher, err := c.fetching.fetcher(c.pool)
	if err != nil || !slices.Equal(fetcher.Gateways, append([]string{c.pool}, c.fetching.gateways...)) || fetcher.Private {
		t.Errorf("%+v, %v", fetcher, err)
	}
	c, err = configure(with("-private-inputs", "true", "-ipfs-gateway", "http://127.0.0.1:8080/", "-ipfs-gateway", "https://a,https://b"), secret, io.Discard)
	if err != nil || !c.fetching.private || !slices.Equal(c.fetching.gateways, []string{"http://127.0.0.1:8080/", "https://a", "https://b"}) {
		t.Errorf("%+v, %v", c.fetching, err)
	}
	var shown bytes.Buffer
	c.show(&shown)
	if !strings.Contains(shown.String(), "ipfs-gateway = http://127.0.0.1:8080/,https://a,https://b\nprivate-inputs = true\n") {
		t.Errorf("shown as\n%s", shown.String())
	}
	if c, err := configure(with("-ipfs-gateway", ""), secret, io.Discard); err != nil || len(c.fetching.gateways) != 0 {
		t.Errorf("no gateway: %+v, %v", c.fetching, err)
	}
	_, err = configure(with("-private-inputs", "yes please", "-ipfs-gateway", "ipfs.example.com"), secret, io.Discard)
	for _, want := range []string{`-private-inputs: want true or false, not "yes please"`, `-ipfs-gateway: a gateway looks like https://ipfs.example.com, not "ipfs.example.com"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
