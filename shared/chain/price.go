package chain

import (
	"context"
	"math/big"

	"workerpool/shared/pool"
)

// Price tells what a unit of gas may cost the wallet just now, wei; the error is
// pool.Unavailable with ErrGasPrice when that is more than is allowed.
func (s *Sender) Price(ctx context.Context) (*big.Int, error) {
	market := newMarket()
	if err := s.chain.node.Batch(ctx, market.requests()); err != nil {
		return nil, err
	}
	price, err := market.price(pool.Broadcast{Attempt: 1}, s.config.MaxGasPrice)
	return price.most, err
}
