package oracle

import (
	"bytes"
	"net"
	"os/exec"
	"testing"
	"time"

	"workerpool/infra/local/process"
)

const patience = time.Minute // for a server to take calls

// Start runs a server until the test ends and answers the address, a free port
// of 127.0.0.1, when it takes calls there. The program is looked for in PATH;
// arguments makes its arguments of host and port.
func Start(t *testing.T, program string, arguments func(host, port string) []string) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.Command(program, arguments(host, port)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.TempDir(), &said, &said
	if err := process.Start(cmd); err != nil {
		t.Fatalf("start %s: %v (make test-oracles installs it)", program, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed in the end: how it went says nothing
	}()
	t.Cleanup(func() {
		process.Kill(cmd)
		<-ended
	})
	for deadline := time.After(patience); ; {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close() // nothing was said
			return address
		}
		select {
		case <-ended:
			t.Fatalf("%s ended before it took a call:\n%s", program, &said)
		case <-deadline:
			t.Fatalf("%s takes no calls after %s", program, patience)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
