package onchain

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"workerpool/shared/pool"
)

func TestAmounts(t *testing.T) {
	for text, want := range map[string]pool.NRLC{
		"1RLC": nano, "1.5RLC": 1_500_000_000, "1.5 RLC": 1_500_000_000, "0.000000001RLC": 1, "1.000000000RLC": nano, "20nRLC": 20, "20 nRLC": 20,
		"0RLC": 0, "0nRLC": 0, "007RLC": 7 * nano, "87000000RLC": allRLC, "87000000000000000nRLC": allRLC,
	} {
		var got amount
		if err := got.UnmarshalText([]byte(text)); err != nil || pool.NRLC(got) != want {
			t.Errorf("%q: %d, %v, want %d", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"1": "has no unit: say 1RLC or 1nRLC", "1.5": "has no unit", "": "has no unit", "RLC": "a number and its unit", ".5RLC": "a number and its unit",
		"1.RLC": "a number and its unit", "1.2.3RLC": "a number and its unit", "-1RLC": "RLC or nRLC", "1ETH": "RLC or nRLC", "1 rlc": "RLC or nRLC",
		"1e3RLC": "RLC or nRLC", "1,5RLC": "RLC or nRLC", "1  RLC": "RLC or nRLC", "1RLC ": "RLC or nRLC", "1.5nRLC": "has 1 digits behind the point, nRLC has 0",
		"0.0000000001RLC": "has 10 digits behind the point, RLC has 9", "87000000.000000001RLC": "more than all there is", "99999999999999999999RLC": "more than all there is",
	} {
		got := amount(-7)
		if err := got.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || got != -7 {
			t.Errorf("%q: %d, %v, want %q", text, got, err, want)
		}
	}
}

// What is written can be typed, and is the same amount.
func TestAmountsThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := pool.NRLC(rapid.Int64Range(0, int64(allRLC)).Draw(t, "nRLC"))
		var got amount
		if err := got.UnmarshalText([]byte(rlc(n))); err != nil || pool.NRLC(got) != n {
			t.Errorf("%d is written %s and read as %d, %v", n, rlc(n), got, err)
		}
	})
}

func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		n      string
		places int
		want   string
	}{
		{"0", 18, "0"}, {"1", 18, "0.000000000000000001"}, {"1000000000000000000", 18, "1"}, {"123450000000000000000", 18, "123.45"},
		{"-5", 1, "-0.5"}, {"10", 0, "10"}, {"1100000000", 9, "1.1"},
	} {
		n, _ := new(big.Int).SetString(c.n, 10)
		if got := decimal(n, c.places); got != c.want {
			t.Errorf("%s by %d: %s, want %s", c.n, c.places, got, c.want)
		}
	}
}

func TestTags(t *testing.T) {
	gpu := "0x" + strings.Repeat("0", 60) + "0100"
	for text, want := range map[string]string{"gpu": gpu, gpu: gpu, "0x" + strings.Repeat("0", 64): pool.Hash{}.String()} {
		var got tag
		if err := got.UnmarshalText([]byte(text)); err != nil || pool.Hash(got).String() != want {
			t.Errorf("%s: %s, %v, want %s", text, pool.Hash(got), err, want)
		}
	}
	for text, want := range map[string]string{
		"tee": "a tag is gpu", "": "a tag is gpu", "0x01": "a tag is gpu", "0x" + strings.Repeat("0", 63) + "1": "enclaves",
		"0x" + strings.Repeat("0", 60) + "0109": "enclaves", "0x" + strings.Repeat("0", 60) + "0300": "more than a GPU", "0x1" + strings.Repeat("0", 63): "more than a GPU",
	} {
		var got tag
		if err := got.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || got != (tag{}) {
			t.Errorf("%s: %s, %v, want %q", text, pool.Hash(got), err, want)
		}
	}
}
