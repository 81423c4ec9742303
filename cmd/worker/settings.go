//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// setting is one thing an owner can set: by flag, by environment variable or by a
// line of the configuration file, the first that is given.
type setting struct {
	name  string // of the flag and of the file's key
	usage string // with the placeholder of the value in back quotes
	text  string // the default, as it would be written
	list  bool   // several values: repeated, or with commas
	read  func(values []string) error
}

// errUsage is wrapped by gather's error when the flags make no sense and nothing
// else was looked at.
var errUsage = errors.New("worker -h tells more")

// variable gives the environment's name for a setting: password-file is
// WORKER_PASSWORD_FILE.
func variable(name string) string {
	return "WORKER_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// gather finds the value of each setting and reads them all. Its error tells every
// fault. rest are flags beside the settings.
func gather(settings []setting, arguments []string, lookup func(string) (string, bool), out io.Writer, rest func(*flag.FlagSet)) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller tells the faults
	rest(flags)
	file := flags.String("config", "", "")
	given := map[string][]string{}
	for _, s := range settings {
		flags.Func(s.name, s.usage, func(value string) error {
			given[s.name] = append(given[s.name], value)
			return nil
		})
	}
	if err := flags.Parse(arguments); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(out, settings)
		}
		return fmt.Errorf("%w (%w)", err, errUsage)
	}
	var faults []error
	if flags.NArg() > 0 {
		faults = append(faults, fmt.Errorf("%q is no flag", flags.Arg(0)))
	}
	if *file == "" {
		*file, _ = lookup(variable("config"))
	}
	lines := map[string][]string{}
	if *file != "" {
		var err error
		if lines, err = readFile(*file, settings); err != nil {
			faults = append(faults, err)
		}
	}
	for _, s := range settings {
		values, origin := given[s.name], "-"+s.name
		if values == nil {
			if value, ok := lookup(variable(s.name)); ok {
				values, origin = []string{value}, variable(s.name)
			}
		}
		if values == nil {
			values, origin = lines[s.name], *file+": "+s.name
		}
		if values == nil {
			values, origin = []string{s.text}, "-"+s.name
		}
		if s.list {
			values = split(values)
		} else {
			values = values[len(values)-1:]
		}
		if err := s.read(values); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", origin, err))
		}
	}
	return errors.Join(faults...)
}

// split takes lists apart at their commas.
func split(values []string) []string {
	var all []string
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				all = append(all, part)
			}
		}
	}
	return all
}

// readFile reads lines of key = value; empty lines and those that begin with # say
// nothing.
func readFile(path string, settings []setting) (map[string][]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration file: %w", err)
	}
	values := map[string][]string{}
	var faults []error
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, found := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		switch {
		case !found:
			faults = append(faults, fmt.Errorf("%s:%d: want key = value", path, number))
		case !slices.ContainsFunc(settings, func(s setting) bool { return s.name == key }):
			faults = append(faults, fmt.Errorf("%s:%d: unknown key %q", path, number, key))
		default:
			values[key] = append(values[key], strings.TrimSpace(value))
		}
	}
	return values, errors.Join(faults...)
}

func usage(out io.Writer, settings []setting) {
	var b strings.Builder
	b.WriteString(`worker computes for a pool, for as long as it runs.

usage: worker -pool URL -login NAME -password-file FILE -apps NAME=PROGRAM [flags]

Each flag may also stand in the environment (-password-file as WORKER_PASSWORD_FILE)
or as a line of the configuration file (password-file = ...). A flag goes before the
environment, the environment before the file. The password itself may be in
WORKER_PASSWORD; no run can read it there, unless the worker is root.

`)
	line := func(name, value, text string) {
		fmt.Fprintf(&b, "  %s\n        %s\n", strings.TrimSpace("-"+name+" "+value), text)
	}
	line("config", "FILE", "configuration file (WORKER_CONFIG)")
	line("print-config", "", "print what is set, without secrets, and end")
	line("version", "", "print the version and end")
	for _, s := range settings {
		value, text := flag.UnquoteUsage(&flag.Flag{Usage: s.usage})
		if s.text != "" {
			text += " (default " + s.text + ")"
		}
		line(s.name, value, text)
	}
	b.WriteString(`
The first SIGTERM or SIGINT refuses new works and lets runs end for -grace; the
second kills them, a third waits for nothing. Works not finished are taken up at the next start. Under systemd
use KillMode=mixed, so that the signal comes to the worker alone.
`)
	fmt.Fprint(out, b.String())
}
