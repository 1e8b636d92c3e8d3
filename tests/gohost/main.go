// Command gohost is a real go-plugin host, set up as Mattermost sets it up, that
// speaks gRPC or net/rpc to its plugins. The Python tests drive it: one JSON object a line on stdin, one
// answer a line on stdout. README.md lists the operations.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// command is one line of input: all that any operation may be given.
type command struct {
	ID     json.RawMessage `json:"id"`
	Op     string          `json:"op"`
	Plugin string          `json:"plugin"`
	Wire   string          `json:"wire"`

	Cmd            []string          `json:"cmd"`
	Dir            string            `json:"dir"`
	Env            map[string]string `json:"env"`
	StartTimeoutMS int               `json:"start_timeout_ms"`
	UnixDir        string            `json:"unix_dir"`
	Multiplex      bool              `json:"multiplex"`
	WithAPI        bool              `json:"with_api"`
	AutoMTLS       bool              `json:"automtls"`

	Hook       string            `json:"hook"`
	Seed       *int              `json:"seed"`
	Request    json.RawMessage   `json:"request"`
	Requests   []json.RawMessage `json:"requests"`
	RequestHex *string           `json:"request_hex"`
	Calls      int               `json:"calls"`
	Callers    int               `json:"callers"`
	Warmup     int               `json:"warmup"`

	API     string                     `json:"api"`
	Args    json.RawMessage            `json:"args"`
	Zeros   bool                       `json:"zeros"`
	Post    *bigPost                   `json:"post"`
	Answers map[string]json.RawMessage `json:"answers"`
	KV      *bool                      `json:"kv"`
	Method  string                     `json:"method"`
	Count   int                        `json:"count"`

	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
	Into  json.RawMessage `json:"into"`
	Hex   string          `json:"hex"`

	Contains  string `json:"contains"`
	Channel   string `json:"channel"`
	Signal    string `json:"signal"`
	TimeoutMS *int   `json:"timeout_ms"`
}

// timeout is Mattermost's 30 s unless the command says otherwise.
func (c *command) timeout() time.Duration {
	if c.TimeoutMS == nil {
		return 30 * time.Second
	}
	return time.Duration(*c.TimeoutMS) * time.Millisecond
}

// seed is 0 unless the command says otherwise.
func (c *command) seed() (int, error) {
	switch {
	case c.Seed == nil:
		return 0, nil
	case *c.Seed < 0 || *c.Seed > 1000:
		return 0, fail("argument", "the seed is not one of 0 to 1000")
	}
	return *c.Seed, nil
}

type result map[string]any

type answer struct {
	ID     json.RawMessage `json:"id"`
	OK     bool            `json:"ok"`
	Result any             `json:"result,omitempty"`
	Error  *failure        `json:"error,omitempty"`
}

// failure is the error of one operation. MS is there for calls that failed,
// Exit for plugins that did not start.
type failure struct {
	Code    string  `json:"code"`
	Message string  `json:"message"`
	MS      float64 `json:"ms,omitempty"`
	*Exit
}

func (f *failure) Error() string { return f.Code + ": " + f.Message }

func fail(code, format string, args ...any) error {
	return &failure{Code: code, Message: fmt.Sprintf(format, args...)}
}

// operation is what can be done with a plugin; some things only with one that
// has started.
type operation struct {
	started bool
	run     func(*running, *command) (any, error)
}

var operations = map[string]operation{
	"health":         {true, (*running).health},
	"call":           {true, func(p *running, c *command) (any, error) { return p.wire.call(c) }},
	"bench":          {true, (*running).bench},
	"bench_health":   {true, (*running).benchHealth},
	"signal":         {true, (*running).signal},
	"activate":       {true, only("net/rpc", (*overNetRPC).activate)},
	"api_stop":       {true, only("gRPC", (*overGRPC).stopAPI)},
	"api_start":      {true, only("gRPC", (*overGRPC).startAPI)},
	"set_answers":    {true, (*running).setAnswers},
	"api_calls":      {true, (*running).apiCalls},
	"wait_api_calls": {true, (*running).waitAPICalls},
	"kill":           {false, (*running).kill},
	"wait_exit":      {false, (*running).waitExit},
	"logs":           {false, (*running).logs},
	"wait_log":       {false, (*running).waitLog},
	"stdio":          {false, (*running).stdio},
	"wait_stdio":     {false, (*running).waitStdio},
}

// only makes an operation of one that the plugins of one wire have.
func only[W wire](name string, run func(W, *command) (any, error)) func(*running, *command) (any, error) {
	return func(p *running, c *command) (any, error) {
		if w, ok := p.wire.(W); ok {
			return run(w, c)
		}
		return nil, fail("argument", "%s is for plugins that speak %s", c.Op, name)
	}
}

func main() {
	folder := flag.String("protos", "", "folder of the .proto files")
	version := flag.Bool("version", false, "print go-plugin's version")
	flag.Parse()
	if *version {
		fmt.Println("go-plugin", goPluginVersion())
		return
	}
	protos, err := compile(*folder)
	if err == nil {
		// go-plugin gives its own stdin to every plugin, which could then read
		// our commands.
		commands := os.Stdin
		if os.Stdin, err = os.Open(os.DevNull); err == nil {
			h := &host{protos: protos, plugins: map[string]*running{}}
			h.serve(commands, os.Stdout)
			h.close()
			return
		}
	}
	fmt.Fprintln(os.Stderr, "gohost:", err)
	os.Exit(2)
}

// serve returns when in ends. It does not wait for operations under way: with
// the tests gone, the plugins are to be stopped and nobody reads the answers.
func (h *host) serve(in io.Reader, out io.Writer) {
	var writing sync.Mutex
	// Not a Scanner: a request with a file in it is one very long line.
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			go func() {
				text := h.answer(line)
				writing.Lock()
				defer writing.Unlock()
				_, _ = out.Write(append(text, '\n'))
			}()
		}
		if err != nil {
			return
		}
	}
}

func (h *host) answer(line []byte) []byte {
	var c command
	done, err := h.perform(&c, line)
	reply := answer{ID: c.ID, OK: err == nil, Result: done}
	if err != nil && !errors.As(err, &reply.Error) {
		reply.Error = &failure{Code: "internal", Message: err.Error()}
	}
	text, err := json.Marshal(reply)
	if err != nil {
		panic(err) // plain maps, strings and numbers only
	}
	return text
}

func (h *host) perform(c *command, line []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields() // a misspelt key would test something else
	if err := decoder.Decode(c); err != nil {
		return nil, fail("argument", "%s", err)
	}
	switch c.Op {
	case "start":
		return h.start(c)
	case "fill":
		return h.fill(c)
	case "gob_encode":
		return gobEncode(c)
	case "gob_decode":
		return gobDecode(c)
	case "gob_decode_any":
		return gobDecodeAny(c)
	}
	op, ok := operations[c.Op]
	if !ok {
		return nil, fail("argument", "unknown op %q", c.Op)
	}
	p, err := h.plugin(c.Plugin, op.started)
	if err != nil {
		return nil, err
	}
	return op.run(p, c)
}

func goPluginVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/hashicorp/go-plugin" {
				return module.Version
			}
		}
	}
	return "unknown"
}

// ms is the time since began as the answers have it.
func ms(began time.Time) float64 { return float64(time.Since(began).Microseconds()) / 1000 }
