package lambda

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"workerpool/infra/local/process"
)

// sandbox is one process of a function with a Runtime API of its own.
type sandbox struct {
	pool    *pool
	fresh   bool // has not been given back yet: its init counts for the call
	cmd     *exec.Cmd
	server  *http.Server
	next    chan *invocation // taken by the process's GET .../next
	initErr chan []byte      // what it posted to .../init/error
	ended   chan struct{}    // closed when the process is gone
	status  string           // how it ended; read after ended
}

// invocation is one event on its way through a sandbox.
type invocation struct {
	id       string
	event    []byte
	timeout  time.Duration
	deadline time.Time   // set on delivery
	answer   chan Result // buffered: the first answer counts
}

func newInvocation(event []byte, timeout time.Duration) *invocation {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	id := fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	return &invocation{id: id, event: event, timeout: timeout, answer: make(chan Result, 1)}
}

func startSandbox(p *pool) (*sandbox, error) {
	s := &sandbox{
		pool: p, fresh: true, next: make(chan *invocation), initErr: make(chan []byte, 1), ended: make(chan struct{}),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for the runtime: %w", err)
	}
	s.server = &http.Server{Handler: s.runtimeAPI(), ReadHeaderTimeout: initLimit}
	go func() { _ = s.server.Serve(listener) }() // ends with the process, by Close below

	dir := p.function.Dir
	path, err := filepath.Abs(filepath.Join(dir, "bootstrap"))
	if err != nil {
		return nil, fmt.Errorf("finding the bootstrap: %w", err)
	}
	s.cmd = exec.Command(path)
	s.cmd.Dir = dir
	s.cmd.Env = environment(p.host.config.Environment, p.function, listener.Addr().String())
	out := &lines{output: p.host.output, name: p.function.Name}
	s.cmd.Stdout, s.cmd.Stderr = out, out
	s.cmd.WaitDelay = time.Second // for a child that keeps the output open
	if err := process.Start(s.cmd); err != nil {
		_ = s.server.Close()
		return nil, fmt.Errorf("starting a sandbox: %w", err)
	}
	go func() {
		err := s.cmd.Wait()
		s.status = "exit status 0"
		if err != nil {
			s.status = err.Error()
		}
		process.Kill(s.cmd) // what it left behind in its group
		out.flush()
		_ = s.server.Close()
		close(s.ended)
	}()
	return s, nil
}

// environment is all that a function sees: nothing of this program's own.
func environment(common map[string]string, f Function, runtimeAPI string) []string {
	all := map[string]string{
		"PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": ":UTC", "LANG": "en_US.UTF-8",
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_FUNCTION_NAME":        f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local",
		"AWS_LAMBDA_LOG_FORMAT":           "JSON",
		"LAMBDA_TASK_ROOT":                f.Dir,
		"_HANDLER":                        f.Handler,
	}
	maps.Copy(all, common)
	maps.Copy(all, f.Environment)
	all["AWS_LAMBDA_RUNTIME_API"] = runtimeAPI
	list := make([]string, 0, len(all))
	for name, value := range all {
		list = append(list, name+"="+value)
	}
	return list
}

// over tells whether the process has ended.
func (s *sandbox) over() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *sandbox) kill() { process.Kill(s.cmd) }

// serve gives the event to the process and waits for its answer, its end or the
// timeout. When the process ended before it took the event, delivered is false and
// the result says why.
func (s *sandbox) serve(call *invocation) (result Result, delivered bool) {
	ready := time.NewTimer(initLimit)
	defer ready.Stop()
	select {
	case s.next <- call:
	case body := <-s.initErr:
		s.kill()
		<-s.ended
		return Result{RequestID: call.id, Payload: body, Failed: true}, false
	case <-s.ended:
		select {
		case body := <-s.initErr: // it told why and then ended
			return Result{RequestID: call.id, Payload: body, Failed: true}, false
		default:
		}
		return failure(call, "Runtime.ExitError", "Error: Runtime exited with error: "+s.status), false
	case <-ready.C:
		s.kill()
		<-s.ended
		return failure(call, "Sandbox.Timedout", "Error: the runtime did not ask for work within "+initLimit.String()), false
	}
	timer := time.NewTimer(call.timeout)
	defer timer.Stop()
	select {
	case result := <-call.answer:
		return result, true
	case <-s.ended:
		select {
		case result := <-call.answer: // it answered and then ended
			return result, true
		default:
		}
		return failure(call, "Runtime.ExitError", "Error: Runtime exited with error: "+s.status), true
	case <-timer.C:
		s.kill()
		<-s.ended
		text := fmt.Sprintf("Error: Task timed out after %.2f seconds", call.timeout.Seconds())
		s.pool.host.output.line(s.pool.function.Name, "RequestId: "+call.id+" "+text)
		return failure(call, "Sandbox.Timedout", text), true
	}
}

func failure(call *invocation, kind, text string) Result {
	// A map of strings always marshals.
	body, _ := json.Marshal(map[string]string{"errorType": kind, "errorMessage": "RequestId: " + call.id + " " + text})
	return Result{RequestID: call.id, Payload: body, Failed: true}
}
