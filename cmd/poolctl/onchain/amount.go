package onchain

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"workerpool/shared/pool"
)

// nano is how many nRLC are one RLC.
const nano = 1_000_000_000

// allRLC is all the RLC there is.
const allRLC = pool.NRLC(87_000_000 * nano)

// amount is money as typed: a number and its unit, "1.5RLC" or "1500000000 nRLC".
type amount pool.NRLC

// UnmarshalText reads one, exactly.
func (a *amount) UnmarshalText(text []byte) error {
	number, unit := string(text), ""
	if i := strings.IndexFunc(number, func(r rune) bool { return (r < '0' || r > '9') && r != '.' }); i >= 0 {
		number, unit = number[:i], strings.TrimPrefix(number[i:], " ")
	}
	whole, part, pointed := strings.Cut(number, ".")
	most := 0 // digits behind the point
	switch unit {
	case "RLC":
		most = 9
	case "nRLC":
	case "":
		return fmt.Errorf("%q has no unit: say %sRLC or %snRLC", text, text, text)
	default:
		return fmt.Errorf("%q: an amount is a number and its unit, RLC or nRLC", text)
	}
	if whole == "" || pointed && (part == "" || strings.Contains(part, ".")) {
		return fmt.Errorf("%q: an amount is a number and its unit, as 1.5RLC or 20nRLC", text)
	}
	if len(part) > most {
		return fmt.Errorf("%q has %d digits behind the point, %s has %d", text, len(part), unit, most)
	}
	n, err := strconv.ParseInt(whole+part+strings.Repeat("0", most-len(part)), 10, 64)
	if err != nil || pool.NRLC(n) > allRLC {
		return fmt.Errorf("%q is more than all there is, 87,000,000 RLC", text)
	}
	*a = amount(n)
	return nil
}

// rlc writes an amount exactly.
func rlc(n pool.NRLC) string {
	return decimal(big.NewInt(int64(n)), 9) + " RLC"
}

// eth writes wei as ETH, exactly.
func eth(wei *big.Int) string { return decimal(wei, 18) + " ETH" }

// decimal writes a number with the point moved so many places to the left, without
// zeros at the end.
func decimal(n *big.Int, places int) string {
	digits, sign := new(big.Int).Abs(n).String(), ""
	if n.Sign() < 0 {
		sign = "-"
	}
	if missing := places + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, part := digits[:len(digits)-places], strings.TrimRight(digits[len(digits)-places:], "0")
	if part != "" {
		whole += "." + part
	}
	return sign + whole
}

// address is an account or a contract as typed.
type address pool.Address

// UnmarshalText reads "0x" and 40 hexadecimal characters.
func (a *address) UnmarshalText(text []byte) error {
	parsed, err := pool.ParseAddress(string(text))
	*a = address(parsed)
	return err
}

func (a address) isZero() bool { return pool.Address(a).IsZero() }

// tag is what a pool's order promises beyond the ordinary: "gpu", or 0x and 64
// hexadecimal characters.
type tag pool.Hash

// The bits of a tag (docs of iExec: 0 TEE, 1 to 3 its frameworks, 8 GPU).
const (
	tagTEE = 0x0f // of the last byte
	tagGPU = 0x01 // of the last byte but one
)

// UnmarshalText reads one. A pool that accepts deals which it cannot run pays for
// them: it has no enclaves, and knows no other bit.
func (t *tag) UnmarshalText(text []byte) error {
	parsed := pool.Hash{}
	switch string(text) {
	case "gpu":
		parsed[30] = tagGPU
	default:
		var err error
		if parsed, err = pool.ParseHash(string(text)); err != nil {
			return fmt.Errorf("a tag is gpu, or %w", err)
		}
	}
	if parsed[31]&tagTEE != 0 {
		return fmt.Errorf("the tag %s promises enclaves (TEE), which this pool has not", parsed)
	}
	known := pool.Hash{30: tagGPU}
	if parsed != known && !parsed.IsZero() {
		return fmt.Errorf("the tag %s promises more than a GPU (%s), which nobody here knows of", parsed, known)
	}
	*t = tag(parsed)
	return nil
}
