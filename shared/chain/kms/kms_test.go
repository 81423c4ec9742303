package kms_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"

	"workerpool/shared/chain/kms"
	"workerpool/shared/ethsig"
	"workerpool/shared/pool"
)

var _ ethsig.Signer = (*kms.Signer)(nil)

// service speaks as KMS does (AWS JSON 1.1) and signs with a real key.
type service struct {
	key     *ecdsa.PrivateKey
	high    bool // s from the upper half, as KMS gives it every second time
	refuse  string
	status  int
	answers map[string]any // in place of what it would say
	asked   []string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	s.asked = append(s.asked, operation)
	var in struct {
		KeyId, MessageType, SigningAlgorithm string
		Message                              []byte
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		s.refuse, s.status = "ValidationException", http.StatusBadRequest
	}
	switch {
	case s.refuse != "":
		w.WriteHeader(s.status)
		s.write(w, map[string]any{"__type": s.refuse, "message": "said by the test"})
	case s.answers != nil:
		s.write(w, s.answers)
	case operation == "GetPublicKey":
		s.write(w, public(&s.key.PublicKey))
	case operation == "Sign" && in.KeyId == "alias/pool" && in.MessageType == "DIGEST" && in.SigningAlgorithm == "ECDSA_SHA_256":
		signature, err := crypto.Sign(in.Message, s.key)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			s.write(w, map[string]any{"__type": "ValidationException"})
			return
		}
		pair := struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:64])}
		if s.high {
			pair.S.Sub(s.key.Params().N, pair.S)
		}
		s.write(w, map[string]any{"KeyId": in.KeyId, "Signature": der(pair), "SigningAlgorithm": in.SigningAlgorithm})
	default:
		w.WriteHeader(http.StatusBadRequest)
		s.write(w, map[string]any{"__type": "UnsupportedOperationException"})
	}
}

func (s *service) write(w http.ResponseWriter, body any) {
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

func der(v any) []byte {
	out, err := asn1.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

func public(key *ecdsa.PublicKey) map[string]any {
	point := crypto.FromECDSAPub(key)
	info := der(struct {
		Algorithm pkix.AlgorithmIdentifier
		Point     asn1.BitString
	}{
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, Parameters: asn1.RawValue{FullBytes: der(asn1.ObjectIdentifier{1, 3, 132, 0, 10})}},
		asn1.BitString{Bytes: point, BitLength: 8 * len(point)},
	})
	return map[string]any{"KeyId": "k", "KeySpec": "ECC_SECG_P256K1", "KeyUsage": "SIGN_VERIFY", "PublicKey": info, "SigningAlgorithms": []string{"ECDSA_SHA_256"}}
}

func start(t *testing.T) *service {
	t.Helper()
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("the wallet of this test")))
	if err != nil {
		t.Fatal(err)
	}
	s := &service{key: key, status: http.StatusBadRequest}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": server.URL,
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
		"AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	return s
}

func open(t *testing.T) *kms.Signer {
	t.Helper()
	signer, err := kms.Open(context.Background(), kms.Config{Key: "alias/pool"})
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestSign(t *testing.T) {
	s := start(t)
	signer := open(t)
	if want := pool.Address(crypto.PubkeyToAddress(s.key.PublicKey)); signer.Address() != want {
		t.Errorf("address %s, want %s", signer.Address(), want)
	}
	for i := range 200 {
		s.high = i%2 == 1
		digest := ethsig.Keccak([]byte{byte(i)})
		got, err := signer.Sign(context.Background(), digest)
		if err != nil {
			t.Fatal(err)
		}
		want, err := crypto.Sign(digest[:], s.key)
		if err != nil {
			t.Fatal(err)
		}
		want[64] += 27
		if string(got[:]) != string(want) {
			t.Fatalf("digest %d: %x, a key in memory signs %x", i, got, want)
		}
	}
}

// TestFaults tells a service that is away from one that says no.
func TestFaults(t *testing.T) {
	s := start(t)
	signer := open(t)
	for code, c := range map[string]struct {
		status int
		kind   pool.Kind
	}{
		"ThrottlingException":        {http.StatusBadRequest, pool.Unavailable},
		"DependencyTimeoutException": {http.StatusServiceUnavailable, pool.Unavailable},
		"KMSInternalException":       {http.StatusInternalServerError, pool.Unavailable},
		"DisabledException":          {http.StatusBadRequest, ""},
		"NotFoundException":          {http.StatusBadRequest, ""},
		"AccessDeniedException":      {http.StatusBadRequest, ""},
	} {
		s.refuse, s.status = code, c.status
		_, err := signer.Sign(context.Background(), [32]byte{1})
		if pool.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: signing gave %v of kind %q, want %q", code, err, pool.KindOf(err), c.kind)
		}
		_, err = kms.Open(context.Background(), kms.Config{Key: "alias/pool"})
		if pool.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), code) {
			t.Errorf("%s: opening gave %v of kind %q, want %q", code, err, pool.KindOf(err), c.kind)
		}
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := signer.Sign(gone, [32]byte{1}); pool.KindOf(err) != pool.Unavailable || !errors.Is(err, context.Canceled) {
		t.Errorf("a call given up: %v", err)
	}
}

// TestAnswersRefused gives answers that no good key gives.
func TestAnswersRefused(t *testing.T) {
	s := start(t)
	signer := open(t)
	other, err := crypto.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := crypto.Sign(make([]byte, 32), other)
	if err != nil {
		t.Fatal(err)
	}
	one := struct{ R, S *big.Int }{new(big.Int).SetBytes(foreign[:32]), new(big.Int).SetBytes(foreign[32:64])}
	for name, c := range map[string]struct {
		signature []byte
		why       string
	}{
		"nothing":             {nil, "DER"},
		"no DER":              {[]byte("no"), "DER"},
		"more than two":       {append(der(one), 0), "DER"},
		"another's signature": {der(one), "not the signature of " + signer.Address().String()},
		"zero":                {der(struct{ R, S *big.Int }{new(big.Int), new(big.Int)}), "no number of the curve"},
		"negative":            {der(struct{ R, S *big.Int }{big.NewInt(-1), big.NewInt(1)}), "no number of the curve"},
		"33 bytes":            {der(struct{ R, S *big.Int }{new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1)}), "no number of the curve"},
	} {
		s.answers = map[string]any{"Signature": c.signature}
		if _, err := signer.Sign(context.Background(), [32]byte{}); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
	for name, c := range map[string]struct {
		field string
		value any
		why   string
	}{
		"another curve": {"KeySpec", "ECC_NIST_P256", "ECC_NIST_P256"},
		"another use":   {"KeyUsage", "KEY_AGREEMENT", "KEY_AGREEMENT"},
		"no key":        {"PublicKey", nil, "X.509"},
		"no X.509":      {"PublicKey", []byte("no"), "X.509"},
		"not on the curve": {"PublicKey", der(struct {
			Algorithm pkix.AlgorithmIdentifier
			Point     asn1.BitString
		}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2}}, asn1.BitString{Bytes: make([]byte, 65), BitLength: 520}}), "not a public key"},
	} {
		s.answers = public(&s.key.PublicKey)
		s.answers[c.field] = c.value
		if _, err := kms.Open(context.Background(), kms.Config{Key: "alias/pool"}); err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %q", name, err, c.why)
		}
	}
}
