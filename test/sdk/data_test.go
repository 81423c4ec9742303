//go:build sdk

package sdk

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"workerpool/shared/pool"
)

// TestClientBringsData lets iExec's client register a dataset that lies in IPFS and
// buy over it and two input files: the result is of what these hold.
func TestClientBringsData(t *testing.T) {
	t.Parallel()
	const id = "QmUbh7ugQ9WVprTVYjzrCS4d9cCy73zUz4MMchsrqzzu1w"
	files := map[string]string{"/ipfs/" + id: "words of a dataset", "/a.txt": "words", "/b/a.txt": "other words"}
	world := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if text, ok := files[r.URL.Path]; ok {
			fmt.Fprint(w, text)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(world.Close)
	b := newStage(t).open(t, 1, append(runs(), "-private-inputs", "true", "-ipfs-gateway", world.URL)...)
	r := b.requester(t, b.url)
	set := r.deployDataset("/ipfs/"+id, sha256.Sum256([]byte(files["/ipfs/"+id])))
	deal := r.buy(order{
		app: r.app(r.address, program), volume: 1, trust: 1, args: "tile", over: set, inputs: []string{world.URL + "/a.txt", world.URL + "/b/a.txt"},
	}, b.order("1", "5"))
	var end dealt
	r.iexec(&end, "deal", "show", deal, "--watch")
	if end.CompletedTasksCount != 1 || len(end.Deal.Tasks) != 1 {
		t.Fatalf("the deal: %+v", end)
	}
	var shown struct{ ResultPath string }
	r.iexec(&shown, "task", "show", end.Deal.Tasks[0], "--download")
	archive, err := os.ReadFile(shown.ResultPath)
	if err != nil {
		t.Fatal(err)
	}
	want := "tile\n" + set.String() + ":words of a dataset\n2-a.txt:other words\na.txt:words\n"
	if got := fileIn(t, archive, "result.txt"); got != want {
		t.Errorf("result %q, want %q", got, want)
	}
	b.check(1)
}

// deployDataset lets iExec's client register a dataset.
func (r *requester) deployDataset(at string, sum pool.Digest) pool.Address {
	r.t.Helper()
	r.iexec(&struct{}{}, "dataset", "init")
	r.change("iexec.json", func(conf map[string]any) {
		set := conf["dataset"].(map[string]any)
		set["name"], set["multiaddr"], set["checksum"] = "dataset of a test", at, "0x"+sum.String()
	})
	var deployed struct{ Address string }
	r.iexec(&deployed, "dataset", "deploy")
	set, err := pool.ParseAddress(deployed.Address)
	if err != nil {
		r.t.Fatal(err)
	}
	return set
}
