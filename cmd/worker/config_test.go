//go:build linux

package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"workerpool/shared/wire"
)

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func from(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

func TestFlagBeforeEnvironmentBeforeFile(t *testing.T) {
	path := file(t, "worker.conf", `
# the owner's file
pool = https://file.example.com
login=file
name = file
apps = echo=/bin/echo -n
apps = cat=/bin/cat, env=/usr/bin/env
max-output = 2G
env-allow = APP_*
env-allow = MODE,X_*
slots = 3
tags = ssd,fast
apps-allow = echo
apps-allow = iexechub/*
requesters-allow = *
requesters-deny = eve, test-*
`)
	variables := map[string]string{
		"WORKER_CONFIG": path, "WORKER_LOGIN": "environment", "WORKER_NAME": "environment", "WORKER_PASSWORD": "hush",
		"WORKER_MAX_RUN": "90m",
	}
	c, err := configure([]string{"-name", "flag", "-print-config", "-memory-mb", "64"}, from(variables), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if c.pool != "https://file.example.com" || c.login != "environment" || c.name != "flag" || c.maxRun != 90*time.Minute ||
		c.maxOutput != 2<<30 || c.memory != 64<<20 || c.slots != 3 || len(c.apps) != 3 || c.apps["echo"].Args[0] != "-n" || len(c.tags) != 2 ||
		!slices.Equal(c.envAllow, []string{"APP_*", "MODE", "X_*"}) {
		t.Errorf("%+v", c)
	}
	told := c.capabilities(0, false)
	want := wire.Rules{Allow: []string{"*"}, Deny: []string{"eve", "test-*"}}
	if !reflect.DeepEqual(told.Requesters, want) || !reflect.DeepEqual(told.Apps, wire.Rules{Allow: []string{"echo", "iexechub/*"}}) {
		t.Errorf("the pool is told %+v and %+v", told.Apps, told.Requesters)
	}
	var printed bytes.Buffer
	c.show(&printed)
	if strings.Contains(printed.String(), "hush") {
		t.Errorf("the password is printed:\n%s", printed.String())
	}
	again, err := configure([]string{"-config", file(t, "printed.conf", printed.String())}, from(map[string]string{"WORKER_PASSWORD": "hush"}), io.Discard)
	if err != nil {
		t.Fatalf("what was printed is no configuration: %v\n%s", err, printed.String())
	}
	var printedAgain bytes.Buffer
	again.show(&printedAgain)
	if printed.String() != printedAgain.String() {
		t.Errorf("printed\n%s\nand then\n%s", printed.String(), printedAgain.String())
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	path := file(t, "worker.conf", "slots = none\ncolour = blue\nnonsense\n")
	_, err := configure([]string{
		"-config", path, "-pool", "pool.example.com", "-apps", "x=relative,y=/nowhere,z", "-apps", "sh=/bin/sh,sh=/bin/sh",
		"-max-run", "soon", "-max-output", "1T", "-tags", "Upper", "-log-format", "xml", "-min-free-mb", "-1", "-env-allow", "*", "-docker-network", "", "-password-file", "/nowhere",
	}, from(nil), io.Discard)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		path + ": slots: ", path + `:2: unknown key "colour"`, path + ":3: want key = value", "-pool: ", "-login: must be set",
		`x: "relative" is not a full path`, "y: stat /nowhere", `not "z"`, "sh is given twice", "-max-run: ", "-max-output: ",
		"capabilities.tags[0]", "-log-format: ", "-min-free-mb: ", "-env-allow: ", "-docker-network: ", "reading the password: open /nowhere",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing about %q in\n%v", want, err)
		}
	}
}

func TestRulesThePoolWouldRefuse(t *testing.T) {
	good := []string{"-pool", "https://pool.example.com", "-login", "me", "-apps", "sh=/bin/sh"}
	secret := from(map[string]string{"WORKER_PASSWORD": "hush"})
	if _, err := configure(good, secret, io.Discard); err != nil {
		t.Fatal(err)
	}
	for flag, field := range map[string]string{
		"-apps-allow=a*b": "capabilities.apps.allow[0]", "-apps-deny=a,b c": "capabilities.apps.deny[1]", "-requesters-allow=**": "capabilities.requesters.allow[0]",
		"-requesters-deny=" + strings.Repeat("x,", 65): "capabilities.requesters.deny",
	} {
		if _, err := configure(append(slices.Clone(good), flag), secret, io.Discard); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%.40s: %v, want something about %s", flag, err, field)
		}
	}
}

func TestHelpNamesEverySetting(t *testing.T) {
	var out bytes.Buffer
	c, err := configure([]string{"-h"}, from(nil), &out)
	if !errors.Is(err, flag.ErrHelp) {
		t.Fatal(err)
	}
	for _, s := range c.settings("host") {
		if !strings.Contains(out.String(), "\n  -"+s.name+" ") {
			t.Errorf("nothing about -%s", s.name)
		}
	}
	if _, err := configure([]string{"-colour", "blue"}, from(nil), io.Discard); !errors.Is(err, errUsage) || errors.Is(err, flag.ErrHelp) {
		t.Errorf("unknown flag: %v", err)
	}
}

func TestPasswordIsReadEachTime(t *testing.T) {
	path := file(t, "password", "first\n")
	c := config{login: "me", passwordFile: path}
	for _, want := range []string{"first", "second"} {
		if login, err := c.credentials(); err != nil || login.Password != want || login.Login != "me" {
			t.Errorf("%+v, %v", login, err)
		}
		if err := os.WriteFile(path, []byte("second\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.credentials(); err == nil {
		t.Error("an empty password is taken")
	}
}
