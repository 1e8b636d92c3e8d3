package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net"
	"net/rpc"
	"reflect"

	"gohost/contract"
)

// rpcCase is one call, of many over one pair of streams: a later one does not
// define again what an earlier one has defined.
type rpcCase struct {
	Name     string `json:"name"`
	Method   string `json:"method"`
	Args     any    `json:"args"`
	Reply    any    `json:"reply"` // what the caller has afterwards
	Error    string `json:"error,omitempty"`
	Request  string `json:"request"`
	Response string `json:"response"`
}

// recorded keeps what is written to a connection.
type recorded struct {
	net.Conn
	written bytes.Buffer
}

func (r *recorded) Write(data []byte) (int, error) {
	r.written.Write(data)
	return r.Conn.Write(data)
}

func (r *recorded) take() string {
	defer r.written.Reset()
	return hex.EncodeToString(r.written.Bytes())
}

type control struct{}

func (control) Ping(bool, *struct{}) error { return nil }
func (control) Quit(bool, *struct{}) error { return nil }

type dispenser struct{}

func (dispenser) Dispense(_ string, id *uint32) error { *id = 1; return nil }

type hooks struct{}

func (hooks) Implemented(_ struct{}, names *[]string) error {
	*names = []string{"MessageWillBePosted", "OnActivate"}
	return nil
}

func (hooks) OnActivate(args *contract.Z_OnActivateArgs, returns *contract.Z_OnActivateReturns) error {
	if args.DriverMuxId == 0 {
		returns.A = &contract.ErrorString{Err: "no database"}
	}
	return nil
}

func (hooks) MessageWillBePosted(args *contract.Z_MessageWillBePostedArgs, returns *contract.Z_MessageWillBePostedReturns) error {
	switch args.B.Message {
	case "fail":
		return errors.New("the handler failed")
	case "reject":
		returns.B = "no"
	default:
		args.B.Message += "!"
		returns.A = args.B
	}
	return nil
}

func (hooks) GetUser(args *contract.Z_GetUserArgs, returns *contract.Z_GetUserReturns) error {
	if args.A == "nobody" {
		returns.B = &contract.AppError{Id: "app.user.missing", Message: "There is no such user.", Where: "GetUser", StatusCode: 404}
	} else {
		returns.A = &contract.User{Id: args.A, Username: "somebody"}
	}
	return nil
}

func rpcCases() []rpcCase {
	server := rpc.NewServer()
	for name, receiver := range map[string]any{"Control": control{}, "Dispenser": dispenser{}, "Plugin": hooks{}} {
		if err := server.RegisterName(name, receiver); err != nil {
			panic(err)
		}
	}
	near, far := net.Pipe()
	host, plugin := &recorded{Conn: near}, &recorded{Conn: far}
	go server.ServeConn(plugin)
	client := rpc.NewClient(host)

	var all []rpcCase
	call := func(name, method string, args, reply any) {
		err := client.Call(method, args, reply)
		one := rpcCase{Name: name, Method: method, Args: describe(reflect.ValueOf(args)), Reply: describe(reflect.ValueOf(reply))}
		if err != nil {
			one.Error = err.Error()
		}
		one.Request, one.Response = host.take(), plugin.take()
		all = append(all, one)
	}
	posted := func(message string) *contract.Z_MessageWillBePostedArgs {
		post := &contract.Post{Id: "p", Message: message, Props: contract.StringInterface{"k": map[string]any{"n": []any{1.5, "s"}}}}
		return &contract.Z_MessageWillBePostedArgs{A: &contract.Context{RequestId: "r"}, B: post}
	}
	call("ping", "Control.Ping", true, &struct{}{})
	call("second ping, types known", "Control.Ping", true, &struct{}{})
	call("dispense", "Dispenser.Dispense", "hooks", new(uint32))
	call("implemented", "Plugin.Implemented", struct{}{}, &[]string{})
	call("activate", "Plugin.OnActivate", &contract.Z_OnActivateArgs{APIMuxId: 1, DriverMuxId: 2}, &contract.Z_OnActivateReturns{})
	call("activate with an error", "Plugin.OnActivate", &contract.Z_OnActivateArgs{APIMuxId: 1}, &contract.Z_OnActivateReturns{})
	call("post changed", "Plugin.MessageWillBePosted", posted("hi"), &contract.Z_MessageWillBePostedReturns{})
	call("post changed again, types known", "Plugin.MessageWillBePosted", posted("ho"), &contract.Z_MessageWillBePostedReturns{})
	call("post rejected", "Plugin.MessageWillBePosted", posted("reject"), &contract.Z_MessageWillBePostedReturns{})
	call("error of the method", "Plugin.MessageWillBePosted", posted("fail"), &contract.Z_MessageWillBePostedReturns{})
	call("reply over the original", "Plugin.MessageWillBePosted", posted("hi"), &contract.Z_MessageWillBePostedReturns{A: posted("hi").B})
	call("user", "Plugin.GetUser", &contract.Z_GetUserArgs{A: "u"}, &contract.Z_GetUserReturns{})
	call("no user", "Plugin.GetUser", &contract.Z_GetUserArgs{A: "nobody"}, &contract.Z_GetUserReturns{})
	call("method that is not there", "Plugin.Nothing", &contract.Z_GetUserArgs{A: "u"}, &contract.Z_GetUserReturns{})
	call("service that is not there", "Nobody.Ping", true, &struct{}{})
	call("method without a service", "Ping", true, &struct{}{})
	call("argument of another type", "Plugin.GetUser", "u", &contract.Z_GetUserReturns{})
	call("after all that", "Plugin.GetUser", &contract.Z_GetUserArgs{A: "u"}, &contract.Z_GetUserReturns{})
	call("quit", "Control.Quit", true, &struct{}{})
	return all
}
