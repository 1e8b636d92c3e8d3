package main

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"maps"
	"net"
	"net/rpc"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"

	"gohost/contract"
)

// api answers what a plugin asks its server for.
type api struct {
	mu      sync.Mutex
	answers map[string]apiAnswer
	calls   []result
	logger  hclog.Logger // the server's log
}

var logLevels = map[string]hclog.Level{
	"LogDebug": hclog.Debug, "LogInfo": hclog.Info, "LogWarn": hclog.Warn, "LogError": hclog.Error,
}

type apiAnswer struct {
	returns any // a pointer
	delay   time.Duration
	err     string // an error of net/rpc
	never   bool
}

func newAPI() *api { return &api{calls: []result{}, answers: map[string]apiAnswer{}} }

// set changes the answers of some methods. Those without one answer with all
// fields set, but no error; the plugin's own configuration is empty.
func (a *api) set(answers map[string]json.RawMessage) error {
	changed := map[string]apiAnswer{}
	for method, text := range answers {
		returns, err := newReturns(method)
		if err != nil {
			return err
		}
		var how struct {
			DelayMS int    `json:"delay_ms"`
			Error   string `json:"error"`
			Never   bool   `json:"never"`
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			return fail("argument", "the answer of %s: %s", method, err)
		}
		if err := json.Unmarshal(text, &how); err != nil {
			return fail("argument", "the answer of %s: %s", method, err)
		}
		maps.DeleteFunc(fields, func(key string, _ json.RawMessage) bool {
			return slices.Contains([]string{"delay_ms", "error", "never"}, key)
		})
		rest, _ := json.Marshal(fields)
		if err := fromJSON(rest, returns); err != nil {
			return fail("argument", "the answer of %s: %s", method, err)
		}
		changed[method] = apiAnswer{returns, time.Duration(how.DelayMS) * time.Millisecond, how.Error, how.Never}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.Copy(a.answers, changed)
	return nil
}

func newReturns(method string) (any, error) {
	at := slices.IndexFunc(contract.API, func(call contract.Call) bool { return call.Name == method })
	if at < 0 {
		return nil, fail("argument", "the contract has no API method %q", method)
	}
	return reflect.New(contract.API[at].Returns).Interface(), nil
}

func (a *api) answer(call contract.Call, args any) apiAnswer {
	heard := described("args", args)
	heard["method"] = call.Name
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, heard)
	answer, ok := a.answers[call.Name]
	if !ok {
		answer.returns = reflect.New(call.Returns).Interface()
		fillReturns(answer.returns)
		if returns, ok := answer.returns.(*contract.Z_LoadPluginConfigurationReturns); ok {
			returns.A = []byte("{}")
		}
	}
	if level, ok := logLevels[call.Name]; ok && answer.err == "" && !answer.never {
		said := reflect.ValueOf(args).Elem()
		a.logger.Log(level, said.Field(0).String(), said.Field(1).Interface().([]any)...)
	}
	return answer
}

// serve is net/rpc's server, with a table in the place of an object that has a
// method for each call: its texts are net/rpc's.
func serve(conn net.Conn, calls []contract.Call, answer func(contract.Call, any) apiAnswer) {
	defer conn.Close()
	decoder, out := gob.NewDecoder(bufio.NewReader(conn)), bufio.NewWriter(conn)
	encoder, sending := gob.NewEncoder(out), sync.Mutex{}
	respond := func(request rpc.Request, problem string, body any) {
		sending.Lock()
		defer sending.Unlock()
		response := rpc.Response{ServiceMethod: request.ServiceMethod, Seq: request.Seq, Error: problem}
		err := encoder.Encode(response)
		if err == nil {
			err = encoder.Encode(body)
		}
		if err != nil || out.Flush() != nil {
			_ = conn.Close() // as net/rpc does: half an answer has gone
		}
	}
	for {
		var request rpc.Request
		if decoder.Decode(&request) != nil {
			return
		}
		service, method, _ := strings.Cut(request.ServiceMethod, ".")
		at := slices.IndexFunc(calls, func(call contract.Call) bool { return call.Name == method })
		if service != "Plugin" || at < 0 {
			problem := "rpc: can't find method " + request.ServiceMethod
			if service != "Plugin" {
				problem = "rpc: can't find service " + request.ServiceMethod
			}
			if decoder.DecodeValue(reflect.Value{}) != nil { // which drops the argument
				return
			}
			respond(request, problem, struct{}{})
			continue
		}
		args := reflect.New(calls[at].Args).Interface()
		if err := decoder.Decode(args); err != nil {
			respond(request, err.Error(), struct{}{})
			continue
		}
		// Noted before the next request is read, so that calls are in order.
		how := answer(calls[at], args)
		go func() {
			time.Sleep(how.delay)
			switch {
			case how.never:
			case how.err != "":
				respond(request, how.err, struct{}{})
			default:
				respond(request, "", how.returns)
			}
		}()
	}
}

// activate does what Mattermost does: it offers the API and the database, calls
// OnActivate, and goes on without those that the plugin has not dialled in 5 s.
func (w *overNetRPC) activate(c *command) (any, error) {
	if err := w.api.set(c.Answers); err != nil {
		return nil, err
	}
	apiID, driverID := w.broker.NextId(), w.broker.NextId()
	offer := func(id uint32, calls []contract.Call) <-chan bool {
		connected := make(chan bool, 1)
		go func() {
			conn, err := w.broker.Accept(id)
			connected <- err == nil
			if err != nil {
				w.logger.Error("plugin: plugin acceptAndServe error", "error", err, "id", id)
				return
			}
			serve(conn, calls, w.api.answer)
		}()
		return connected
	}
	api, driver := offer(apiID, contract.API), offer(driverID, nil)

	began := time.Now()
	args := &contract.Z_OnActivateArgs{APIMuxId: apiID, DriverMuxId: driverID}
	returns := &contract.Z_OnActivateReturns{}
	err := w.send("OnActivate", args, returns, c.timeout())
	if err != nil {
		return nil, w.failure(err, began)
	}
	took := ms(began)
	reply := described("reply", returns)
	reply["ms"] = took
	reply["api_connected"], reply["driver_connected"] = <-api, <-driver
	return reply, nil
}

func (w *overNetRPC) apiCalls(*command) (any, error) {
	w.api.mu.Lock()
	defer w.api.mu.Unlock()
	return result{"calls": slices.Clone(w.api.calls)}, nil
}

func (w *overNetRPC) setAnswers(c *command) (any, error) {
	return result{}, w.api.set(c.Answers)
}
