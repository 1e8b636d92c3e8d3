package main

import (
	"bufio"
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/rpc"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"gohost/contract"
)

func (w *overNetRPC) served() (*api, error) { return w.api, nil }

func (w *overNetRPC) parseAnswer(method string, text json.RawMessage) (*apiAnswer, error) {
	returns, err := newReturns(method)
	if err != nil {
		return nil, err
	}
	var problem string
	answer, rest, err := readManner(method, text, map[string]any{"error": &problem})
	if err != nil {
		return nil, err
	}
	if err := fromJSON(rest, returns); err != nil {
		return nil, badAnswer(method, err)
	}
	answer.netrpcError, answer.body = problem, returns
	return answer, nil
}

func newReturns(method string) (any, error) {
	at := slices.IndexFunc(contract.API, func(call contract.Call) bool { return call.Name == method })
	if at < 0 {
		return nil, fail("argument", "the contract has no API method %q", method)
	}
	return reflect.New(contract.API[at].Returns).Interface(), nil
}

// netrpcReply is what is sent: a body, or an error of net/rpc.
type netrpcReply struct {
	body    any
	problem string
	manner
}

// answer notes a call; what it returns is the rest of the work, which may take
// long.
func (w *overNetRPC) answer(call contract.Call, args any) func() netrpcReply {
	given, kv := w.api.arrived(call.Name, func() result { return described("args", args) })
	if level, ok := logLevels[call.Name]; ok && given.succeeds() {
		said := reflect.ValueOf(args).Elem()
		w.api.logger.Log(level, said.Field(0).String(), said.Field(1).Interface().([]any)...)
	}
	return func() netrpcReply {
		if given == nil {
			return netrpcReply{body: w.usual(call, args, kv)}
		}
		time.Sleep(given.delay())
		reply := netrpcReply{body: given.body, problem: given.netrpcError, manner: given.manner}
		if stored := kv.overNetRPC(args); stored != nil && given.empty {
			reply.body = stored
		}
		if given.Call != nil {
			if err := w.callBefore(given.Call, call.Name, args, &reply); err != nil {
				reply.problem = fmt.Sprintf("the hook %s: %s", given.Call.Hook, err)
			}
		}
		return reply
	}
}

// usual is what a method returns that has no answer: all fields set, but no error;
// the plugin's own configuration is empty.
func (w *overNetRPC) usual(call contract.Call, args any, kv *kvStore) any {
	if returns := kv.overNetRPC(args); returns != nil {
		return returns
	}
	return w.api.fillOnce(call.Name, func() any {
		returns := reflect.New(call.Returns).Interface()
		fillReturns(returns)
		if returns, ok := returns.(*contract.Z_LoadPluginConfigurationReturns); ok {
			returns.A = []byte("{}")
		}
		return returns
	})
}

// callBefore calls the hook that an answer has to wait for.
func (w *overNetRPC) callBefore(k *hookCall, method string, args any, reply *netrpcReply) error {
	c := k.command()
	if !k.passesPost(method) {
		_, err := w.call(c)
		return err
	}
	posted := &contract.Z_MessageWillBePostedArgs{A: &contract.Context{}, B: args.(*contract.Z_CreatePostArgs).A}
	returns := reflect.TypeFor[contract.Z_MessageWillBePostedReturns]()
	e := w.exchange(c, reflect.ValueOf(posted), returns)
	began := time.Now()
	if err := e.send(); err != nil {
		return w.failure(err, began)
	}
	decided := e.returns.(*contract.Z_MessageWillBePostedReturns)
	if decided.B != "" {
		text := rejected + decided.B
		refusal := &contract.AppError{Id: text, Message: text, Where: method, StatusCode: http.StatusBadRequest}
		reply.body = &contract.Z_CreatePostReturns{B: refusal}
	} else {
		reply.body = &contract.Z_CreatePostReturns{A: decided.A}
	}
	return nil
}

// serve is net/rpc's server, with a table in the place of an object that has a
// method for each call: its texts are net/rpc's.
func serve(conn net.Conn, calls []contract.Call, answer func(contract.Call, any) func() netrpcReply) {
	defer conn.Close()
	var out bytes.Buffer
	decoder, encoder, sending := gob.NewDecoder(bufio.NewReader(conn)), gob.NewEncoder(&out), sync.Mutex{}
	respond := func(request rpc.Request, reply netrpcReply) {
		sending.Lock()
		defer sending.Unlock()
		out.Reset()
		if reply.problem != "" {
			reply.body = struct{}{}
		}
		response := rpc.Response{ServiceMethod: request.ServiceMethod, Seq: request.Seq, Error: reply.problem}
		err := encoder.Encode(response)
		if err == nil {
			err = encoder.Encode(reply.body)
		}
		data := out.Bytes()
		switch {
		case reply.RawHex != nil:
			data = reply.raw
		case reply.Cut:
			data = data[:len(data)/2]
		}
		if err == nil {
			_, err = conn.Write(data)
		}
		if err != nil || reply.Cut {
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
			respond(request, netrpcReply{problem: problem})
			continue
		}
		args := reflect.New(calls[at].Args).Interface()
		if err := decoder.Decode(args); err != nil {
			respond(request, netrpcReply{problem: err.Error()})
			continue
		}
		// Noted before the next request is read, so that calls are in order.
		finish := answer(calls[at], args)
		go func() {
			if reply := finish(); !reply.Never {
				respond(request, reply)
			}
		}()
	}
}

// activate does what Mattermost does: it offers the API and the database, calls
// OnActivate, and goes on without those that the plugin has not dialled in 5 s.
func (w *overNetRPC) activate(c *command) (any, error) {
	if err := setAnswers(w, c); err != nil {
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
			serve(conn, calls, w.answer)
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
