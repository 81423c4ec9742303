package market

import (
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"workerpool/shared/pool"
)

// TestDataset makes a deal over a dataset, whose owner is paid as the app's is.
func TestDataset(t *testing.T) {
	s := open(t)
	collector := s.join(0)
	multiaddr := []byte("https://example.com/set")
	set, err := s.CreateDataset(t.Context(), collector, Dataset{Name: "set", At: multiaddr, Sum: pool.Digest{9}})
	if err != nil {
		t.Fatal(err)
	}
	seen, err := s.Chain.View(t.Context(), s.At.Hub, s.hub.PackViewDataset(common.Address(set)))
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.hub.UnpackViewDataset(seen)
	if err != nil || info.Owner != common.Address(collector.Address()) || string(info.MDatasetMultiaddr) != string(multiaddr) || info.MDatasetChecksum != (pool.Digest{9}) {
		t.Errorf("%+v, %v", info, err)
	}
	terms := s.terms(1, 1)
	terms.Dataset, terms.DatasetOwner, terms.DatasetPrice = set, s.maker, 50
	if _, err := s.Match(t.Context(), terms); err == nil {
		t.Error("another's dataset was sold")
	}
	terms.DatasetOwner = collector
	deal, err := s.Match(t.Context(), terms)
	if err != nil || deal.Dataset != set {
		t.Fatalf("%+v, %v", deal, err)
	}
	purse, err := s.Purse(t.Context(), s.requester.Address())
	if err != nil || purse.Locked != price+appPrice+50 {
		t.Errorf("%+v, %v", purse, err)
	}
}
