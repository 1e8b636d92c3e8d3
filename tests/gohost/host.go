package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// host keeps every plugin that was started, ended ones too: their logs and exit
// codes are asked for afterwards.
type host struct {
	hooks protoreflect.ServiceDescriptor

	mu      sync.Mutex
	plugins map[string]*running
	closing bool
}

type running struct {
	hooks     protoreflect.ServiceDescriptor
	client    *plugin.Client
	cmd       *exec.Cmd
	socketDir string // empty unless asked for
	recorder  *recorder

	settled chan struct{} // closed when the start has succeeded or failed
	// Set when it has succeeded; not to be read before settled is closed.
	protocol plugin.ClientProtocol
	conn     *grpc.ClientConn
}

// Exit tells how a process ended: one of the two is nil.
type Exit struct {
	ExitCode *int    `json:"exit_code"`
	Signal   *string `json:"signal"`
}

// connection is the one plugin of the set: dispensing it gives the connection
// itself, since hooks are called without generated stubs.
type connection struct{ plugin.NetRPCUnsupportedPlugin }

func (connection) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("gohost serves no plugin")
}

func (connection) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

func (h *host) start(c *command) (any, error) {
	if c.Plugin == "" || len(c.Cmd) == 0 {
		return nil, fail("argument", `start needs "plugin" and "cmd"`)
	}
	p, err := h.add(c)
	if err != nil {
		return nil, err
	}
	defer close(p.settled)

	began := time.Now()
	address, err := p.client.Start()
	took := ms(began)
	if err == nil {
		err = p.connect()
	}
	if err != nil {
		failed := &failure{Code: "start", Message: err.Error()}
		if within(5*time.Second, p.stop) {
			failed.Exit = p.exit()
		}
		return nil, failed
	}
	return result{
		"pid":      p.cmd.Process.Pid,
		"network":  address.Network(),
		"address":  address.String(),
		"protocol": p.client.Protocol(),
		"ms":       took,
	}, nil
}

// add registers a plugin before it starts, so that close finds it whatever
// happens. A name is free again when its plugin has ended.
func (h *host) add(c *command) (*running, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if previous := h.plugins[c.Plugin]; h.closing || previous != nil && !previous.over() {
		return nil, fail("argument", "plugin %q is running, or the host is closing", c.Plugin)
	}
	p, err := newRunning(c)
	if err != nil {
		return nil, err
	}
	p.hooks = h.hooks
	h.plugins[c.Plugin] = p
	return p, nil
}

func newRunning(c *command) (*running, error) {
	p := &running{
		cmd:      exec.Command(c.Cmd[0], c.Cmd[1:]...),
		recorder: newRecorder(),
		settled:  make(chan struct{}),
	}
	p.cmd.Dir = c.Dir
	p.cmd.Env = os.Environ()
	for name, value := range c.Env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}

	// The recorder is a sink and not the logger's output: there every record
	// still has its parts.
	logger := hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Trace, Output: io.Discard})
	logger.RegisterSink(p.recorder)

	config := &plugin.ClientConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   "MATTERMOST_PLUGIN",
			MagicCookieValue: "Securely message teams, anywhere.",
		},
		Plugins:             plugin.PluginSet{"plugin": connection{}},
		Cmd:                 p.cmd,
		AllowedProtocols:    []plugin.Protocol{plugin.ProtocolGRPC},
		StartTimeout:        10 * time.Second,
		SyncStdout:          p.recorder.writer("stdout"),
		SyncStderr:          p.recorder.writer("stderr"),
		Logger:              logger,
		AutoMTLS:            c.AutoMTLS,
		GRPCBrokerMultiplex: c.Multiplex,
		// go-plugin would put the host's environment behind ours, and the last
		// one wins; it is in cmd.Env already.
		SkipHostEnv: true,
	}
	if c.StartTimeoutMS > 0 {
		config.StartTimeout = time.Duration(c.StartTimeoutMS) * time.Millisecond
	}
	if c.UnixDir != "" {
		// go-plugin makes this folder itself only for processes that it does not
		// start itself; name and variable are the same.
		var err error
		if p.socketDir, err = os.MkdirTemp(c.UnixDir, "plugin-dir"); err != nil {
			return nil, fail("argument", "unix_dir: %s", err)
		}
		p.cmd.Env = append(p.cmd.Env, plugin.EnvUnixSocketDir+"="+p.socketDir)
		config.UnixSocketConfig = &plugin.UnixSocketConfig{TempDir: c.UnixDir}
	}
	p.client = plugin.NewClient(config)
	return p, nil
}

// connect opens the connection, with go-plugin's streams (broker and stdio).
func (p *running) connect() error {
	protocol, err := p.client.Client()
	if err != nil {
		return err
	}
	conn, err := protocol.Dispense("plugin")
	if err != nil {
		return err
	}
	p.protocol, p.conn = protocol, conn.(*grpc.ClientConn)
	return nil
}

func (h *host) plugin(name string, started bool) (*running, error) {
	h.mu.Lock()
	p := h.plugins[name]
	h.mu.Unlock()
	if p == nil || started && !(p.isSettled() && p.conn != nil) {
		return nil, fail("plugin", "plugin %q has not started", name)
	}
	return p, nil
}

func (p *running) isSettled() bool {
	select {
	case <-p.settled:
		return true
	default:
		return false
	}
}

// over tells whether nothing is left of the plugin. It has no id when there was
// no program to run.
func (p *running) over() bool {
	return p.isSettled() && (p.client.Exited() || p.client.ID() == "")
}

func (p *running) health(c *command) (any, error) {
	began := time.Now()
	var err error
	// go-plugin's ping has no deadline: one without an answer stays behind.
	if !within(c.timeout(), func() { err = p.protocol.Ping() }) {
		return nil, fail("timeout", "no answer to the health check in %s", c.timeout())
	}
	if err != nil {
		return nil, rpcFailure(err, began)
	}
	return result{"ms": ms(began)}, nil
}

func (p *running) kill(c *command) (any, error) {
	began := time.Now()
	// Kill also waits for the plugin's pipes: a child that holds one holds it up.
	if !within(c.timeout(), p.stop) {
		return nil, fail("timeout", "Kill did not return in %s", c.timeout())
	}
	return p.ended(began), nil
}

func (p *running) stop() {
	p.client.Kill()
	_ = os.RemoveAll(p.socketDir)
}

func (p *running) waitExit(c *command) (any, error) {
	began := time.Now()
	for !p.client.Exited() {
		if time.Since(began) >= c.timeout() {
			return nil, fail("timeout", "the plugin still runs after %s", c.timeout())
		}
		time.Sleep(time.Millisecond)
	}
	return p.ended(began), nil
}

func (p *running) ended(began time.Time) any {
	return struct {
		MS float64 `json:"ms"`
		*Exit
	}{ms(began), p.exit()}
}

// exit tells how the process ended. go-plugin waits for it in a goroutine of its
// own and then says so under the lock that Exited takes: after that, and not
// before, ProcessState may be read.
func (p *running) exit() *Exit {
	how := &Exit{}
	if !p.client.Exited() || p.cmd.ProcessState == nil {
		return how
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		name := strings.TrimPrefix(unix.SignalName(status.Signal()), "SIG")
		how.Signal = &name
	} else {
		code := status.ExitStatus()
		how.ExitCode = &code
	}
	return how
}

func (p *running) signal(c *command) (any, error) {
	number := unix.SignalNum("SIG" + c.Signal)
	if number == 0 {
		return nil, fail("argument", "unknown signal %q", c.Signal)
	}
	if err := p.cmd.Process.Signal(number); err != nil {
		return nil, fail("plugin", "%s", err)
	}
	return result{}, nil
}

// close kills every plugin. One that is starting is killed when it has started:
// until there is a process, Kill does nothing.
func (h *host) close() {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	var killing sync.WaitGroup
	for _, p := range h.plugins {
		killing.Add(1)
		go func() {
			defer killing.Done()
			<-p.settled
			p.stop()
		}()
	}
	killing.Wait()
}

// within runs f and tells whether it returned in time; if not, f goes on.
func within(timeout time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		return true
	case <-time.After(timeout):
		return false
	}
}
