//go:build linux

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"workerpool/cmd/worker/container"
	"workerpool/cmd/worker/machine"
	"workerpool/cmd/worker/turns"
	"workerpool/shared/client"
	"workerpool/shared/wire"
)

// config is all that an owner decides.
type config struct {
	pool         string
	login        string
	passwordFile string // "" = the environment has the password
	password     string
	name         string
	dir          string
	apps         map[string]turns.Program
	images       container.Config // Address "" = no images are run; Mark and Pause are not the owner's
	envAllow     []string         // names, or beginnings of names with an asterisk
	slots        int
	tags         []string
	wants        wire.Rules // applications, by name or image
	serves       wire.Rules // requesters, by login
	memory       int64      // bytes one run may use
	disk         int64      // bytes one run may use; 0 = its share of what is free
	maxRun       time.Duration
	maxOutput    int64
	minFree      int64
	grace        time.Duration
	wallet       wallet
	fetching     fetching
	level        slog.Level
	json         bool

	print, version bool
}

// passwordVariable is the one secret that may be in the environment.
const passwordVariable = "WORKER_PASSWORD"

var (
	appName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	// A lone asterisk is none: an owner who allows everything must not do so by a slip.
	envRule = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\*?$`)
	sizes   = map[string]int64{"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
	sized   = regexp.MustCompile(`^([0-9]{1,12})([KMG]?)$`)
)

// configure reads the owner's wishes. Its error tells every fault at once; it is
// flag.ErrHelp when help was asked for and given.
func configure(arguments []string, lookup func(string) (string, bool), out io.Writer) (config, error) {
	c := config{apps: map[string]turns.Program{}}
	host, err := os.Hostname()
	if err != nil {
		return c, fmt.Errorf("asking for the host's name: %w", err)
	}
	err = gather(c.settings(host), arguments, lookup, out, func(flags *flag.FlagSet) {
		flags.BoolVar(&c.print, "print-config", false, "")
		flags.BoolVar(&c.version, "version", false, "")
	})
	if errors.Is(err, errUsage) || c.version {
		return c, err
	}
	c.password, _ = lookup(passwordVariable)
	if c.passwordFile == "" && c.password == "" {
		err = errors.Join(err, errors.New("-password-file: name the file that holds the password, or set "+passwordVariable))
	}
	if c.passwordFile != "" || c.password != "" {
		if _, fault := c.credentials(); fault != nil {
			err = errors.Join(err, fault)
		}
	}
	return c, errors.Join(err, c.complete(), c.wallet.complete())
}

// complete fills in what depends on the machine and lets the pool's own rules
// judge the rest.
func (c *config) complete() error {
	if c.memory == 0 {
		total, err := machine.Memory()
		if err != nil {
			return err
		}
		c.memory = total / 10 * 9 / int64(c.slots)
	}
	if c.images.Address != "" {
		if err := c.images.Check(); err != nil {
			return fmt.Errorf("-docker, -docker-images, -docker-network: %w", err)
		}
	} else if len(c.apps) == 0 {
		return errors.New("-apps: allow at least one program, or images by -docker")
	}
	r := wire.Registration{Name: c.name, Key: strings.Repeat("1", 64), Slots: c.slots, Capabilities: c.capabilities(0, c.images.Address != "")}
	if _, err := r.Parse(); err != nil {
		return fmt.Errorf("the pool would not take this worker: %w", err)
	}
	return nil
}

// cpu is the processors one run may use.
func (c *config) cpu() int { return max(1, machine.CPU()/c.slots) }

// capabilities is what one work can count on, next to the other slots' works.
func (c *config) capabilities(free int64, docker bool) wire.Capabilities {
	out := wire.Capabilities{
		OS: "linux", Arch: arch, CPU: c.cpu(), Docker: docker, MemoryMB: c.memory >> 20, DiskMB: c.scratch(free) >> 20,
		GPU: machine.GPU("/dev"), Tags: c.tags, MaxRunS: int64(c.maxRun / time.Second), Version: machine.Version,
		Apps: c.wants, Requesters: c.serves,
	}
	for name := range c.apps {
		out.Programs = append(out.Programs, name)
	}
	return out
}

// scratch is the bytes of disk one run may use.
func (c *config) scratch(free int64) int64 {
	if c.disk > 0 {
		return c.disk
	}
	return max(1<<20, (free-c.minFree)/int64(c.slots))
}

// credentials reads the password each time, so that it may be changed in its file.
func (c *config) credentials() (wire.Login, error) {
	password := c.password
	if c.passwordFile != "" {
		text, err := os.ReadFile(c.passwordFile)
		if err != nil {
			return wire.Login{}, fmt.Errorf("reading the password: %w", err)
		}
		password = strings.TrimRight(string(text), "\r\n")
	}
	if password == "" {
		return wire.Login{}, errors.New("the password is empty")
	}
	return wire.Login{Login: c.login, Password: password}, nil
}

func (c *config) settings(host string) []setting {
	return append([]setting{
		{name: "pool", usage: "the pool's `URL`", read: func(v []string) error {
			_, err := client.New(client.Config{URL: v[0]})
			c.pool = v[0]
			return err
		}},
		{name: "login", usage: "login `NAME` of the worker account", read: text(&c.login, true)},
		{name: "password-file", usage: "`FILE` with the account's password; read at each login", read: text(&c.passwordFile, false)},
		{name: "name", usage: "`NAME` of this worker within the account", text: host, read: text(&c.name, true)},
		{name: "dir", usage: "private work `FOLDER`: identity, one folder for each work", text: "worker-data", read: text(&c.dir, true)},
		{name: "apps", usage: "allowed `NAME=PROGRAM` with fixed arguments after spaces; repeat or separate by commas", list: true, read: c.readApps},
		{name: "docker", usage: "run images by the Docker engine whose socket is at `ADDRESS`, such as unix:///var/run/docker.sock; none when empty", read: text(&c.images.Address, false)},
		{name: "docker-images", usage: "`IMAGES` that works may run, a/b* for all that begin with a/b, * for all; repeat or separate by commas", list: true, read: texts(&c.images.Images)},
		{name: "docker-network", usage: "`NAME` of the engine's network that images get, such as bridge", text: "none", read: text(&c.images.Network, true)},
		{name: "env-allow", usage: "`NAMES` of variables that works may set for programs, A_* for all that begin with A_; repeat or separate by commas, none when empty", text: "APP_*", list: true, read: c.readEnvAllow},
		{name: "slots", usage: "`NUMBER` of works at a time", text: strconv.Itoa(machine.CPU()), read: func(v []string) (err error) {
			if c.slots, err = strconv.Atoi(v[0]); err != nil || c.slots < 1 {
				c.slots = 1
				return fmt.Errorf("want 1 or more, not %q", v[0])
			}
			return nil
		}},
		{name: "tags", usage: "`TAGS` that works may demand or avoid; repeat or separate by commas", list: true, read: texts(&c.tags)},
		{name: "apps-allow", usage: "`APPS` taken, by the name or image that works ask for, a* for all that begin with a, everything when empty; repeat or separate by commas", list: true, read: texts(&c.wants.Allow)},
		{name: "apps-deny", usage: "`APPS` not taken, though allowed", list: true, read: texts(&c.wants.Deny)},
		{name: "requesters-allow", usage: "`LOGINS` of requesters computed for, a* for all that begin with a, everybody when empty", list: true, read: texts(&c.serves.Allow)},
		{name: "requesters-deny", usage: "`LOGINS` of requesters not computed for, though allowed", list: true, read: texts(&c.serves.Deny)},
		{name: "memory-mb", usage: "`MIB` of memory one run may use; 0 = its slot's share of 9/10 of the machine", text: "0", read: mebibytes(&c.memory)},
		{name: "disk-mb", usage: "`MIB` of disk one run may use; 0 = its slot's share of what is free when it begins", text: "0", read: mebibytes(&c.disk)},
		{name: "max-run", usage: "longest run taken, a `TIME` such as 90m; 0 = any", text: "0s", read: duration(&c.maxRun)},
		{name: "max-output", usage: "largest result in `BYTES`, or with K, M or G", text: "500M", read: byteCount(&c.maxOutput)},
		{name: "min-free-mb", usage: "`MIB` of free disk below which no work is taken", text: "512", read: mebibytes(&c.minFree)},
		{name: "grace", usage: "`TIME` that runs and uploads get to end after the first signal", text: "25s", read: duration(&c.grace)},
		{name: "log-level", usage: "`LEVEL` of what is logged: debug, info, warn or error", text: "info", read: func(v []string) error {
			return c.level.UnmarshalText([]byte(v[0]))
		}},
		{name: "log-format", usage: "`FORMAT` of the log: text or json", text: "text", read: func(v []string) error {
			c.json = v[0] == "json"
			if v[0] != "json" && v[0] != "text" {
				return fmt.Errorf("want text or json, not %q", v[0])
			}
			return nil
		}},
	}, append(c.wallet.settings(), c.fetching.settings()...)...)
}

func (c *config) readApps(values []string) error {
	var faults []error
	for _, value := range values {
		name, command, found := strings.Cut(value, "=")
		words := strings.Fields(command)
		switch {
		case !found || len(words) == 0 || !appName.MatchString(name):
			faults = append(faults, fmt.Errorf("want NAME=/path/to/program, not %q", value))
			continue
		case !filepath.IsAbs(words[0]):
			faults = append(faults, fmt.Errorf("%s: %q is not a full path", name, words[0]))
			continue
		}
		if info, err := os.Stat(words[0]); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		} else if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			faults = append(faults, fmt.Errorf("%s: %s is no program", name, words[0]))
		}
		if _, twice := c.apps[name]; twice {
			faults = append(faults, fmt.Errorf("%s is given twice", name))
		}
		c.apps[name] = turns.Program{Path: words[0], Args: words[1:]}
	}
	return errors.Join(faults...)
}

func (c *config) readEnvAllow(values []string) error {
	for _, value := range values {
		if !envRule.MatchString(value) {
			return fmt.Errorf("want the name of a variable, or its beginning and *, not %q", value)
		}
	}
	c.envAllow = values
	return nil
}

func text(to *string, needed bool) func([]string) error {
	return func(v []string) error {
		*to = v[0]
		if needed && v[0] == "" {
			return errors.New("must be set")
		}
		return nil
	}
}

func texts(to *[]string) func([]string) error {
	return func(v []string) error {
		*to = v
		return nil
	}
}

func mebibytes(to *int64) func([]string) error {
	return func(v []string) error {
		n, err := strconv.ParseInt(v[0], 10, 64)
		if err != nil || n < 0 || n > 1<<40 {
			return fmt.Errorf("want a number of MiB, not %q", v[0])
		}
		*to = n << 20
		return nil
	}
}

func byteCount(to *int64) func([]string) error {
	return func(v []string) error {
		parts := sized.FindStringSubmatch(v[0])
		if parts == nil {
			return fmt.Errorf("want bytes, or a number with K, M or G, not %q", v[0])
		}
		n, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || n < 1 || n > 1<<50/sizes[parts[2]] {
			return fmt.Errorf("%q is out of range", v[0])
		}
		*to = n * sizes[parts[2]]
		return nil
	}
}

func duration(to *time.Duration) func([]string) error {
	return func(v []string) (err error) {
		if *to, err = time.ParseDuration(v[0]); err != nil || *to < 0 {
			return fmt.Errorf("want a time such as 90m, not %q", v[0])
		}
		return nil
	}
}
