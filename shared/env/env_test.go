package env_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"workerpool/shared/env"
)

func TestReadsTheProcess(t *testing.T) {
	t.Setenv("DBHOST", "localhost:3306")
	var e env.Reader
	if got := e.String("DBHOST"); got != "localhost:3306" || e.Err() != nil {
		t.Errorf("got %q, %v", got, e.Err())
	}
}

func TestValues(t *testing.T) {
	e := env.From(map[string]string{
		"N": "7", "S": "15", "B": "true", "C": "WARN",
		"PLAIN": "1234", "K": "3K", "M": "500M", "G": "2G", "EMPTY": "",
	})
	got := []any{
		e.Int("N", 1, 0, 9), e.Int("UNSET", 1, 0, 9), e.Int("EMPTY", 2, 0, 9),
		e.Seconds("S", 5, 1, 60), e.Seconds("UNSET", 5, 1, 60),
		e.Bool("B", false), e.Bool("UNSET", true),
		e.Choice("C", "INFO", "INFO", "WARN"), e.Choice("UNSET", "INFO", "INFO", "WARN"),
		e.Optional("C"), e.Optional("UNSET"),
		e.Bytes("PLAIN", 1), e.Bytes("K", 1), e.Bytes("M", 1), e.Bytes("G", 1), e.Bytes("UNSET", 9),
	}
	want := []any{
		7, 1, 2, 15 * time.Second, 5 * time.Second, true, true, "WARN", "INFO", "WARN", "",
		int64(1234), int64(3 << 10), int64(500 << 20), int64(2 << 30), int64(9),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := e.Err(); err != nil {
		t.Error(err)
	}
}

func TestFaultsOfWhatHasNoMeaning(t *testing.T) {
	e := env.From(map[string]string{"SET": "x"})
	if got := e.If(false).String("SET"); got != "x" {
		t.Errorf("read %q", got)
	}
	e.If(false).String("MISSING")
	if err := e.Err(); err != nil {
		t.Error(err)
	}
	e.If(true).String("MISSING")
	if err := e.Err(); err == nil || !strings.Contains(err.Error(), "MISSING is not set") {
		t.Error(err)
	}
}

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	e := env.From(map[string]string{
		"BLANK": " x", "WORD": "seven", "HIGH": "61", "YES": "yes", "LEVEL": "LOUD",
		"UNIT": "5T", "ZERO": "0", "NEGATIVE": "-5", "BARE": "M", "HUGE": "9999999999G", "SPACED": "5 M",
	})
	e.String("MISSING")
	e.String("BLANK")
	e.Int("WORD", 1, 0, 9)
	e.Seconds("HIGH", 5, 1, 60)
	e.Bool("YES", false)
	e.Choice("LEVEL", "INFO", "INFO", "WARN")
	for _, name := range []string{"UNIT", "ZERO", "NEGATIVE", "BARE", "HUGE", "SPACED"} {
		if got := e.Bytes(name, 9); got != 9 {
			t.Errorf("%s gave %d", name, got)
		}
	}

	want := `the environment has 12 faults:
MISSING is not set
BLANK starts or ends with white space
WORD is "seven", not a whole number from 0 to 9
HIGH is "61", not a whole number from 1 to 60
YES is "yes", neither true nor false
LEVEL is "LOUD", not one of INFO, WARN
UNIT is "5T", not a size: give a number of bytes, or one with K, M or G
ZERO is "0", not a size: give a number of bytes, or one with K, M or G
NEGATIVE is "-5", not a size: give a number of bytes, or one with K, M or G
BARE is "M", not a size: give a number of bytes, or one with K, M or G
HUGE is "9999999999G", not a size: give a number of bytes, or one with K, M or G
SPACED is "5 M", not a size: give a number of bytes, or one with K, M or G`
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(e.Err().Error(), "\n")); diff != "" {
		t.Error(diff)
	}
}

func TestTextsAreNeverRepeated(t *testing.T) {
	e := env.From(map[string]string{"TOKEN": "hunter2 "})
	e.String("TOKEN")
	if err := e.Err(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}
