//go:build linux && docker

package container

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// act is what the test binary does within a container.
func act(what string, args []string) {
	number := func(i int) int {
		n, err := strconv.Atoi(args[i])
		must(err)
		return n
	}
	switch what {
	case "look":
		look(args)
	case "exit":
		fmt.Fprintln(os.Stderr, "ends with", number(0))
		os.Exit(number(0))
	case "crash":
		must(syscall.Kill(os.Getpid(), syscall.SIGKILL))
	case "wait":
		fmt.Fprintln(os.Stderr, "waits")
		touch("/iexec_out/waits")
		time.Sleep(time.Hour)
	case "obey": // a program that ends well when it is asked to
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		touch("/iexec_out/waits")
		<-asked
	case "touch":
		touch(args[0])
	case "hog":
		var all [][]byte
		for {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
			runtime.KeepAlive(all)
		}
	case "fill":
		for i := range number(2) {
			must(os.WriteFile(filepath.Join(args[0], strconv.Itoa(i)), make([]byte, number(1)), 0o600))
		}
		if args[0] != "/iexec_out" {
			time.Sleep(time.Hour)
		}
	case "shout":
		text := append(bytes.Repeat([]byte("x"), number(0)), "\nthe last words\n"...)
		_, err := os.Stdout.Write(text)
		must(err)
		_, err = os.Stderr.Write(text)
		must(err)
		os.Exit(4)
	case "bomb":
		made := 0
		for ; ; made++ {
			if err := exec.Command("/app", "exit-never").Start(); err != nil {
				break
			}
		}
		must(os.WriteFile("/iexec_out/made", []byte(strconv.Itoa(made)), 0o600))
	case "exit-never":
		time.Sleep(time.Hour)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func touch(path string) { must(os.WriteFile(path, nil, 0o600)) }

// look tells all that a run can see of where it is.
func look(args []string) {
	var out strings.Builder
	input, err := os.ReadFile(filepath.Join(os.Getenv("IEXEC_IN"), "input"))
	must(err)
	fmt.Fprintf(&out, "args %q\ninput %s\nOWN=%s APP=%s IEXEC_OUT=%s\n", args, input, os.Getenv("OWN"), os.Getenv("APP"), os.Getenv("IEXEC_OUT"))
	fmt.Fprintf(&out, "account %d %d\n", os.Getuid(), os.Getgid())
	interfaces, err := net.Interfaces()
	must(err)
	var names []string
	for _, one := range interfaces {
		names = append(names, one.Name)
	}
	host, err := os.Hostname()
	must(err)
	fmt.Fprintf(&out, "interfaces %v\nhost %s\n", names, host)
	status, err := os.ReadFile("/proc/self/status")
	must(err)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if name == "CapEff" || name == "NoNewPrivs" || name == "Seccomp" {
			fmt.Fprintf(&out, "%s: %s\n", name, strings.TrimSpace(value))
		}
	}
	for _, folder := range []string{"/iexec_in", "/", "/iexec_out", "/tmp"} {
		path := filepath.Join(folder, "x")
		fmt.Fprintf(&out, "%s: %v\n", path, os.WriteFile(path, nil, 0o600) == nil)
	}
	fmt.Fprintf(&out, "init %v\n", os.Getpid() != 1)
	fmt.Println("to stdout")
	fmt.Fprintln(os.Stderr, "to stderr")
	must(os.WriteFile("/iexec_out/seen", []byte(out.String()), 0o600))
}
