//go:build linux

package main

import (
	"fmt"
	"strconv"
	"strings"

	"workerpool/cmd/worker/machine"
	"workerpool/cmd/worker/outside"
)

// fetching is what an owner decides of the files that deals name.
type fetching struct {
	gateways []string
	private  bool
}

// gateways are those that iExec's own worker asks (MultiAddressHelper of
// iexec-commons-poco).
const gateways = "https://ipfs-gateway.v8-bellecour.iex.ec,https://gateway.ipfs.io,https://gateway.pinata.cloud"

func (f *fetching) settings() []setting {
	return []setting{
		{name: "ipfs-gateway", usage: "`URLS` of IPFS gateways that are asked, after the pool, for what deals name by a content id; repeat or separate by commas", text: gateways, list: true, read: func(v []string) error {
			f.gateways = v
			_, err := outside.New(outside.Config{Gateways: v})
			return err
		}},
		{name: "private-inputs", usage: "whether what deals name may lie at addresses that are not public: `true` lets every requester reach what this machine reaches", text: "false", read: func(v []string) (err error) {
			if f.private, err = strconv.ParseBool(v[0]); err != nil {
				return fmt.Errorf("want true or false, not %q", v[0])
			}
			return nil
		}},
	}
}

// fetcher gives what fetches them. The pool itself serves the results of its deals.
func (f *fetching) fetcher(pool string) (*outside.Fetcher, error) {
	return outside.New(outside.Config{
		Gateways: append([]string{pool}, f.gateways...), Private: f.private, UserAgent: "worker/" + machine.Version,
	})
}

// show prints what is set.
func (f *fetching) show(line func(name string, value any)) {
	line("ipfs-gateway", strings.Join(f.gateways, ","))
	line("private-inputs", f.private)
}
