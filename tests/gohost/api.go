package main

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/go-hclog"
)

// api is what both wires have of the plugin API: what a plugin has asked its
// server for, and how that is to be answered.
type api struct {
	logger hclog.Logger // the server's log
	watched
	calls   []apiCall
	answers map[string]*apiAnswer
	filled  map[string]any // answers of methods that have none, as they were made
	kv      *kvStore       // nil unless asked for
}

// apiCall is one that has arrived. It is told in JSON only when somebody asks: a
// benchmark has many.
type apiCall struct {
	method string
	tell   func() result
}

// apiAnswer is what a test wants to be answered.
type apiAnswer struct {
	manner
	netrpcError string
	grpcStatus  *grpcStatus
	body        any  // as the wire has it
	empty       bool // the test has said nothing of it
}

// manner is how an answer comes, on either wire.
type manner struct {
	DelayMS int       `json:"delay_ms"`
	Never   bool      `json:"never"`
	Call    *hookCall `json:"call"`
	RawHex  *string   `json:"raw_hex"` // in the place of the answer
	Cut     bool      `json:"cut"`     // the connection ends in the middle of the answer
	raw     []byte
}

// hookCall is a hook of the same plugin that is called before the answer.
type hookCall struct {
	Hook      string          `json:"hook"`
	Args      json.RawMessage `json:"args"`
	Request   json.RawMessage `json:"request"`
	TimeoutMS *int            `json:"timeout_ms"`
}

func (k *hookCall) command() *command {
	return &command{Hook: k.Hook, Args: k.Args, Request: k.Request, TimeoutMS: k.TimeoutMS}
}

// passesPost tells whether the post of the API call is to go through the hook, as
// it does in a server.
func (k *hookCall) passesPost(method string) bool {
	return method == "CreatePost" && k.Hook == "MessageWillBePosted" && k.Args == nil && k.Request == nil
}

func (m *manner) delay() time.Duration { return time.Duration(m.DelayMS) * time.Millisecond }

// The server's id of the error that a post's author gets begins so.
const rejected = "Post rejected by plugin. "

var errNoAPI = fail("argument", `the plugin has no API: start it with "with_api"`)

func newAPI() *api {
	return &api{watched: newWatched(), answers: map[string]*apiAnswer{}, filled: map[string]any{}}
}

// readManner takes the keys of a manner, and those of the wire, out of the JSON of
// an answer. The rest is the answer itself.
func readManner(method string, text json.RawMessage, wireKeys map[string]any) (*apiAnswer, json.RawMessage, error) {
	answer := &apiAnswer{}
	wanted := map[string]any{
		"delay_ms": &answer.DelayMS, "never": &answer.Never, "call": &answer.Call,
		"raw_hex": &answer.RawHex, "cut": &answer.Cut,
	}
	maps.Copy(wanted, wireKeys)
	var fields map[string]json.RawMessage
	err := json.Unmarshal(text, &fields)
	for key, target := range wanted {
		if value, ok := fields[key]; ok && err == nil {
			err = strictly(value, target)
			delete(fields, key)
		}
	}
	if err == nil && answer.RawHex != nil {
		answer.raw, err = hex.DecodeString(*answer.RawHex)
	}
	if err != nil {
		return nil, nil, badAnswer(method, err)
	}
	answer.empty = len(fields) == 0
	rest, err := json.Marshal(fields)
	return answer, rest, err
}

func badAnswer(method string, err error) error {
	return fail("argument", "the answer of %s: %s", method, err)
}

// setAnswers changes the answers of some methods; null takes one back. Those
// without one answer with all fields set, but no error.
func setAnswers(w wire, c *command) error {
	a, err := w.served()
	if err != nil {
		return err
	}
	changed := map[string]*apiAnswer{}
	for method, text := range c.Answers {
		none := string(text) == "null"
		if none {
			text = json.RawMessage("{}")
		}
		answer, err := w.parseAnswer(method, text)
		if err != nil {
			return err
		}
		if none {
			answer = nil
		}
		changed[method] = answer
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.Copy(a.answers, changed)
	switch {
	case c.KV == nil:
	case !*c.KV:
		a.kv = nil
	case a.kv == nil:
		a.kv = newKVStore()
	}
	return nil
}

// arrived notes a call and gives how to answer it: nil, if nobody has said so, and
// then what the key-value store is, if it is to be used.
func (a *api) arrived(method string, tell func() result) (given *apiAnswer, kv *kvStore) {
	a.change(func() {
		a.calls = append(a.calls, apiCall{method, tell})
		given, kv = a.answers[method], a.kv
	})
	return given, kv
}

// fillOnce gives the answer of a method that has none.
func (a *api) fillOnce(method string, fill func() any) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, ok := a.filled[method]
	if !ok {
		answer = fill()
		a.filled[method] = answer
	}
	return answer
}

// succeeds tells whether a call is answered without an error, for all that the
// test has said.
func (answer *apiAnswer) succeeds() bool {
	return answer == nil ||
		!answer.Never && !answer.Cut && answer.RawHex == nil && answer.netrpcError == "" && answer.grpcStatus == nil
}

var logLevels = map[string]hclog.Level{
	"LogDebug": hclog.Debug, "LogInfo": hclog.Info, "LogWarn": hclog.Warn, "LogError": hclog.Error,
}

func (p *running) setAnswers(c *command) (any, error) { return result{}, setAnswers(p.wire, c) }

func (p *running) apiCalls(*command) (any, error) {
	a, err := p.wire.served()
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	calls := slices.Clone(a.calls)
	a.mu.Unlock()
	return told(calls, ""), nil
}

// waitAPICalls answers with the calls of a method, of any if it has no name, when
// there are so many.
func (p *running) waitAPICalls(c *command) (any, error) {
	a, err := p.wire.served()
	if err != nil {
		return nil, err
	}
	count := 0
	var calls []apiCall
	enough := a.wait(c.timeout(), func() bool {
		for _, call := range a.calls[len(calls):] {
			if c.Method == "" || c.Method == call.method {
				count++
			}
		}
		calls = slices.Clip(a.calls)
		return count >= max(c.Count, 1)
	})
	if !enough {
		return nil, fail("timeout", "%d calls of %s in %s", count, c.Method, c.timeout())
	}
	return told(calls, c.Method), nil
}

func told(calls []apiCall, method string) result {
	list := []result{}
	for _, call := range calls {
		if method == "" || method == call.method {
			one := call.tell()
			one["method"] = call.method
			list = append(list, one)
		}
	}
	return result{"calls": list}
}
