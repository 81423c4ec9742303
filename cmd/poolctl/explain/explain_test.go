package explain

import "testing"

func TestSeconds(t *testing.T) {
	for s, want := range map[int64]string{0: "0s", 59: "59s", 60: "1m", 3600: "1h", 3601: "1h0m1s", 36000: "10h", 600: "10m"} {
		if got := seconds(s); got != want {
			t.Errorf("%d s are %s, want %s", s, got, want)
		}
	}
}
