//go:build linux

package container

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/system"

	"workerpool/cmd/worker/executor"
)

func withVolumes(t *testing.T, paths ...string) (found image.InspectResponse) {
	t.Helper()
	volumes := map[string]any{}
	for _, path := range paths {
		volumes[path] = struct{}{}
	}
	text, err := json.Marshal(map[string]any{"Id": "sha256:1", "Config": map[string]any{"Volumes": volumes}})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &found); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestOptionsShutARunIn(t *testing.T) {
	s := Spec{
		Mark: "7.1", Image: "a", Args: []string{"x"}, Env: []string{"A=1"}, CPU: 2, In: "/w/in", Out: "/w/out", Temp: "/w/tmp", Folder: "/w",
		Limits: executor.Limits{Wall: time.Hour, Memory: 64 << 20, Scratch: 1 << 30},
	}
	order, folders, err := options(s, withVolumes(t, "/data/", "/tmp", "/iexec_out/deep"), Config{Mark: "m", Network: "none"})
	if err != nil {
		t.Fatal(err)
	}
	var mounts []string
	for _, m := range order.HostConfig.Mounts {
		mounts = append(mounts, fmt.Sprintf("%s %s>%s %v", m.Type, m.Source, m.Target, m.ReadOnly))
	}
	if want := []string{
		"bind /w/in>/iexec_in true", "bind /w/out>/iexec_out false", "bind /w/tmp>/tmp false",
		"bind /w/tmp/volume-0>/data false", "bind /w/tmp/volume-1>/iexec_out/deep false",
	}; !slices.Equal(mounts, want) || !slices.Equal(folders, []string{"/w/tmp/volume-0", "/w/tmp/volume-1"}) {
		t.Errorf("mounts %q, folders %q", mounts, folders)
	}
	user, group := account()
	c, h := order.Config, order.HostConfig
	if user == 0 || c.User != fmt.Sprintf("%d:%d", user, group) || c.Image != "sha256:1" || c.Labels[label] != "m" || order.Name != "workerpool-m.7.1" ||
		!slices.Equal(c.Cmd, s.Args) || !slices.Equal(c.Env, s.Env) || c.Entrypoint != nil || c.Healthcheck.Test[0] != "NONE" || c.Tty || c.OpenStdin {
		t.Errorf("%+v", order)
	}
	if h.NetworkMode != "none" || !h.ReadonlyRootfs || !slices.Equal(h.CapDrop, []string{"ALL"}) || h.CapAdd != nil || h.Privileged ||
		!slices.Equal(h.SecurityOpt, []string{"no-new-privileges"}) || !*h.Init || h.LogConfig.Type != "none" || h.RestartPolicy.Name != "no" {
		t.Errorf("%+v", h)
	}
	limits := map[string]int64{}
	for _, u := range h.Ulimits {
		limits[u.Name] = u.Hard
	}
	if h.Memory != 64<<20 || h.MemorySwap != 64<<20 || h.CPUQuota != 2*h.CPUPeriod || *h.PidsLimit != maxPIDs || limits["fsize"] != 1<<30 || limits["core"] != 0 {
		t.Errorf("%+v", h.Resources)
	}
	s.Limits.Memory = 1
	if order, _, err := options(s, image.InspectResponse{}, Config{}); err != nil || order.HostConfig.Memory != minMemory {
		t.Errorf("least memory: %v, %v", order.HostConfig.Memory, err)
	}
}

func TestManyVolumesAreTheWorksFault(t *testing.T) {
	var paths []string
	for i := range maxMounts + 1 {
		paths = append(paths, fmt.Sprintf("/v%d", i))
	}
	if _, _, err := options(Spec{}, withVolumes(t, paths...), Config{}); err == nil || err.Error() != "the image has 21 volumes, 20 are allowed" {
		t.Error(err)
	}
}

func TestCheckTellsEveryFault(t *testing.T) {
	good := Config{Address: "unix:///run/docker.sock", Images: []string{"*", "alpine", "registry.example.org:5000/a/b*"}, Network: "none"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string
	}{
		"another machine":       {func(c *Config) { c.Address = "tcp://10.0.0.1:2375" }, "unix:///PATH"},
		"relative":              {func(c *Config) { c.Address = "unix://docker.sock" }, "unix:///PATH"},
		"nothing":               {func(c *Config) { c.Images = nil }, "at least one image"},
		"two asterisks":         {func(c *Config) { c.Images = []string{"a*b*"} }, `"a*b*"`},
		"no reference":          {func(c *Config) { c.Images = []string{"Alpine"} }, `"Alpine" is no image reference`},
		"the machine's network": {func(c *Config) { c.Network = "host" }, `"host"`},
		"another's network":     {func(c *Config) { c.Network = "container:db" }, `"container:db"`},
	} {
		t.Run(name, func(t *testing.T) {
			bad := good
			c.change(&bad)
			if err := bad.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if _, err := New(bad); err == nil {
				t.Error("an engine is made of it")
			}
		})
	}
}

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestNamedIsTheWholeReference(t *testing.T) {
	for given, want := range map[string]string{
		"alpine":                           "docker.io/library/alpine:latest",
		"a/b:1":                            "docker.io/a/b:1",
		"localhost:5000/a":                 "localhost:5000/a:latest",
		"a:1" + digest:                     "docker.io/library/a" + digest,
		"deadbeef":                         "docker.io/library/deadbeef:latest", // not the number of an image that is here
		"sha256:deadbeef":                  "docker.io/library/sha256:deadbeef",
		strings.TrimPrefix(digest, "@"):    "docker.io/library/sha256:" + digest[8:],
		strings.Repeat("a", 64):            "",
		"Upper":                            "",
		"a@sha256:1":                       "",
		"registry.example.org/a:" + "/etc": "",
	} {
		got := ""
		if ref, err := named(given); err == nil {
			got = ref.String()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", given, got, want)
		}
	}
}

func TestPermitted(t *testing.T) {
	for _, c := range []struct {
		rule, image string
		want        bool
	}{
		{"*", "a", true},
		{"alpine", "alpine:latest", true},
		{"alpine", "alpine:3", false},
		{"alpine:3", "docker.io/library/alpine:3", true},
		{"alpine:*", "alpine:3", true},
		{"alpine*", "alpines:3", true}, // as it says
		{"docker.io/library/*", "alpine", true},
		{"iexechub/*", "iexechub/a:1", true},
		{"iexechub/*", "evil.example.org/iexechub/a:1", false},
		{"iexechub/*", "iexechubs/a:1", false},
		{"registry.example.org/*", "registry.example.org:5000/a", false},
		{"a" + digest, "a:1" + digest, true},
		{"a:1", "a:1" + digest, false}, // a tag beside the digest says nothing
	} {
		ref, err := named(c.image)
		if err != nil {
			t.Fatal(err)
		}
		if got := permitted([]string{"other:1", c.rule}, ref); got != c.want {
			t.Errorf("%s for %s: %v", c.rule, c.image, got)
		}
	}
}

func TestUnfitEngines(t *testing.T) {
	good := system.Info{OSType: "linux", MemoryLimit: true, PidsLimit: true, CPUCfsQuota: true, SecurityOptions: []string{"name=seccomp,profile=default"}}
	if fault := unfit(good); fault != "" {
		t.Error(fault)
	}
	for want, change := range map[string]func(*system.Info){
		"images of windows":   func(i *system.Info) { i.OSType = "windows" },
		"cannot limit memory": func(i *system.Info) { i.MemoryLimit = false },
		"processes":           func(i *system.Info) { i.PidsLimit = false },
		"processors":          func(i *system.Info) { i.CPUCfsQuota = false },
		"is userns":           func(i *system.Info) { i.SecurityOptions = []string{"name=seccomp,profile=default", "name=userns"} },
		"is rootless":         func(i *system.Info) { i.SecurityOptions = []string{"name=rootless"} },
	} {
		bad := good
		change(&bad)
		if fault := unfit(bad); !strings.Contains(fault, want) {
			t.Errorf("%q, want %q", fault, want)
		}
	}
}

func TestReasons(t *testing.T) {
	for want, got := range map[string]string{
		"exit status 3": reason(3, false, 0), "exit status 139 (SIGSEGV)": reason(139, false, 0), "exit status 255": reason(255, false, 0),
		"exit status 137 (SIGKILL)":                                                 reason(137, false, 1<<20),
		"it wrote a file larger than its disk space":                                reason(153, false, 0),
		"exit status 137: it wanted more than the 5 MiB of memory that are allowed": reason(137, true, 5<<20),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestHandMakesVolumesWithinTheRunsDisk(t *testing.T) {
	s, _ := spec(t, "a")
	volume := filepath.Join(s.Temp, "volume-0")
	if err := hand(s, []string{volume}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.In, s.Out, s.Temp, volume} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}
