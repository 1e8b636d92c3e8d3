package main

import (
	"encoding/json"
	"fmt"
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
)

// host keeps every plugin that was started, ended ones too: their logs and exit
// codes are asked for afterwards.
type host struct {
	protos protos

	mu      sync.Mutex
	plugins map[string]*running
	closing bool
}

type running struct {
	wire      wire
	client    *plugin.Client
	cmd       *exec.Cmd
	socketDir string // empty unless asked for
	recorder  *recorder

	settled chan struct{} // closed when the start has succeeded or failed
	// Set when it has succeeded; not to be read before settled is closed.
	protocol plugin.ClientProtocol
}

// Exit tells how a process ended: one of the two is nil.
type Exit struct {
	ExitCode *int    `json:"exit_code"`
	Signal   *string `json:"signal"`
}

// wire is one of the two ways of talking to a plugin.
type wire interface {
	// configure adds what go-plugin has to know before the start, and serves what
	// the plugin must find then.
	configure(*plugin.ClientConfig, *command) error
	// connect gets at the plugin's hooks; "start" answers with the result, too.
	connect(plugin.ClientProtocol, *command) (result, error)
	// deactivate takes leave of a plugin that is to be killed.
	deactivate()
	// close ends what is still served when the plugin is gone.
	close()

	// served is the plugin API that the plugin has; an error if it has none.
	served() (*api, error)
	// parseAnswer reads how a method is to be answered.
	parseAnswer(method string, text json.RawMessage) (*apiAnswer, error)

	fill(*command) (any, error)
	call(*command) (any, error)
	// exchanges makes calls, all with one request, that are yet to be sent.
	exchanges(*command) (func() exchange, error)
	failure(error, time.Time) *failure
}

type exchange interface {
	send() error
	// answer is what "bench" tells of it; null if it has failed, or was not sent.
	answer(sent bool) result
}

func (h *host) wire(c *command) (wire, error) {
	switch c.Wire {
	case "", "grpc":
		return newOverGRPC(h.protos), nil
	case "netrpc":
		return newOverNetRPC(), nil
	}
	return nil, fail("argument", "wire %q is neither grpc nor netrpc", c.Wire)
}

func (h *host) fill(c *command) (any, error) {
	w, err := h.wire(c)
	if err != nil {
		return nil, err
	}
	return w.fill(c)
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
	var started result
	if err == nil {
		started, err = p.connect(c)
	}
	if err != nil {
		failed := &failure{Code: "start", Message: err.Error()}
		if p.end(5 * time.Second) {
			failed.Exit = p.exit()
		}
		return nil, failed
	}
	started["pid"] = p.cmd.Process.Pid
	started["network"] = address.Network()
	started["address"] = address.String()
	started["protocol"] = p.client.Protocol()
	started["ms"] = took
	return started, nil
}

// add registers a plugin before it starts, so that close finds it whatever
// happens. A name is free again when its plugin has ended.
func (h *host) add(c *command) (*running, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if previous := h.plugins[c.Plugin]; h.closing || previous != nil && !previous.over() {
		return nil, fail("argument", "plugin %q is running, or the host is closing", c.Plugin)
	}
	w, err := h.wire(c)
	if err != nil {
		return nil, err
	}
	p, err := newRunning(c, w)
	if err != nil {
		return nil, err
	}
	h.plugins[c.Plugin] = p
	return p, nil
}

func newRunning(c *command, w wire) (*running, error) {
	p := &running{
		wire:     w,
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
		Cmd:        p.cmd,
		SyncStdout: p.recorder.writer("stdout"),
		SyncStderr: p.recorder.writer("stderr"),
		Logger:     logger,
		AutoMTLS:   c.AutoMTLS,
		// go-plugin would put the host's environment behind ours, and the last
		// one wins; it is in cmd.Env already.
		SkipHostEnv: true,
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
	if err := w.configure(config, c); err != nil {
		return nil, err
	}
	if c.StartTimeoutMS > 0 {
		config.StartTimeout = time.Duration(c.StartTimeoutMS) * time.Millisecond
	}
	p.client = plugin.NewClient(config)
	return p, nil
}

// connect opens the connection, with go-plugin's streams (broker and stdio).
func (p *running) connect(c *command) (started result, err error) {
	protocol, err := p.client.Client()
	if err != nil {
		return nil, err
	}
	// Mattermost would wait for ever.
	if !within(c.timeout(), func() { started, err = p.wire.connect(protocol, c) }) {
		return nil, fmt.Errorf("the plugin has shaken hands, and does not answer in %s", c.timeout())
	}
	if err == nil {
		p.protocol = protocol
	}
	return started, err
}

func (h *host) plugin(name string, started bool) (*running, error) {
	h.mu.Lock()
	p := h.plugins[name]
	h.mu.Unlock()
	if p == nil || started && !(p.isSettled() && p.protocol != nil) {
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
		return nil, p.wire.failure(err, began)
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
	if p.protocol != nil {
		p.wire.deactivate()
	}
	p.client.Kill()
	p.wire.close()
	_ = os.RemoveAll(p.socketDir)
}

// end stops the plugin, and ends its process if that takes too long.
func (p *running) end(limit time.Duration) bool {
	stopped := within(limit, p.stop)
	if !stopped && p.cmd.Process != nil {
		_ = p.cmd.Process.Kill()
	}
	return stopped
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
			p.end(20 * time.Second)
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
