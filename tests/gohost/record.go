package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
)

// recorder keeps what one plugin logged and printed, and what go-plugin logged
// about it. It is a sink of the plugin's logger.
type recorder struct {
	watched
	records []record
	output  map[string][]byte // by channel
}

// logName is the name of the records that a plugin logs by the API.
const logName = "api"

type record struct {
	Level   string         `json:"level"`
	Name    string         `json:"name"`
	Message string         `json:"message"`
	Time    string         `json:"time"`
	Args    map[string]any `json:"args"`
}

func newRecorder() *recorder {
	return &recorder{watched: newWatched(), records: []record{}, output: map[string][]byte{}}
}

// Accept implements hclog.SinkAdapter.
func (r *recorder) Accept(name string, level hclog.Level, message string, args ...any) {
	now := time.Now().Format(time.RFC3339Nano)
	this := record{level.String(), name, message, now, map[string]any{}}
	for i := 0; i+1 < len(args); i += 2 {
		this.Args[fmt.Sprint(args[i])] = plain(args[i+1])
	}
	r.change(func() { r.records = append(r.records, this) })
}

// plain keeps what came out of a plugin's JSON; all else, go-plugin's own
// arguments, becomes text.
func plain(arg any) any {
	switch arg.(type) {
	case nil, bool, float64, int, string, []any, map[string]any:
		return arg
	}
	return fmt.Sprint(arg)
}

func (r record) contains(text string) bool {
	has := func(arg any) bool { return strings.Contains(fmt.Sprint(arg), text) }
	return has(r.Message) || slices.ContainsFunc(slices.Collect(maps.Values(r.Args)), has)
}

// writer takes what go-plugin received for a channel of the stdio stream.
func (r *recorder) writer(channel string) io.Writer {
	return writerFunc(func(data []byte) (int, error) {
		r.change(func() { r.output[channel] = append(r.output[channel], data...) })
		return len(data), nil
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(data []byte) (int, error) { return f(data) }

func (p *running) logs(*command) (any, error) {
	p.recorder.mu.Lock()
	defer p.recorder.mu.Unlock()
	return result{"records": slices.Clone(p.recorder.records)}, nil
}

func (p *running) waitLog(c *command) (any, error) {
	at := -1
	found := p.recorder.wait(c.timeout(), func() bool {
		at = slices.IndexFunc(p.recorder.records, func(r record) bool { return r.contains(c.Contains) })
		return at >= 0
	})
	if !found {
		return nil, fail("timeout", "no record with %q in %s", c.Contains, c.timeout())
	}
	p.recorder.mu.Lock()
	defer p.recorder.mu.Unlock()
	return p.recorder.records[at], nil
}

func (p *running) stdio(*command) (any, error) {
	p.recorder.mu.Lock()
	defer p.recorder.mu.Unlock()
	return result{
		"stdout": string(p.recorder.output["stdout"]),
		"stderr": string(p.recorder.output["stderr"]),
	}, nil
}

func (p *running) waitStdio(c *command) (any, error) {
	if c.Channel != "stdout" && c.Channel != "stderr" {
		return nil, fail("argument", "channel %q is neither stdout nor stderr", c.Channel)
	}
	found := p.recorder.wait(c.timeout(), func() bool {
		return bytes.Contains(p.recorder.output[c.Channel], []byte(c.Contains))
	})
	if !found {
		return nil, fail("timeout", "no %q on %s in %s", c.Contains, c.Channel, c.timeout())
	}
	return p.stdio(c)
}
