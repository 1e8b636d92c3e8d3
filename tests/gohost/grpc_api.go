package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// grpcAPI serves the plugin API to one plugin, at an address of its own.
type grpcAPI struct {
	*api
	service *grpc.ServiceDesc
	address string

	serving  sync.Mutex
	server   *grpc.Server // nil while it is stopped
	listener atomic.Pointer[breakable]
}

// grpcStatus is the error of a call that is no answer.
type grpcStatus struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (s *grpcStatus) err() error {
	return status.Error(codes.Code(code.Code_value[s.Code]), s.Message)
}

const apiTarget = "MATTERMOST_PLUGIN_API_TARGET"

// offerAPI serves the API before the plugin starts: its address is in the
// environment.
func (w *overGRPC) offerAPI(config *plugin.ClientConfig, c *command) error {
	if w.protos.api == nil {
		return fail("argument", "the .proto files have no service %s", apiService)
	}
	w.api = &grpcAPI{api: newAPI(), address: "127.0.0.1:0"}
	w.api.logger = config.Logger.Named(logName)
	w.api.service = &grpc.ServiceDesc{ServiceName: string(w.protos.api.FullName()), HandlerType: (*any)(nil)}
	for i := range w.protos.api.Methods().Len() {
		method := w.protos.api.Methods().Get(i)
		w.api.service.Methods = append(w.api.service.Methods, grpc.MethodDesc{
			MethodName: string(method.Name()),
			Handler: func(_ any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
				var request []byte
				if err := read(&request); err != nil {
					return nil, err
				}
				return w.answer(ctx, method, request)
			},
		})
	}
	if err := setAnswers(w, c); err != nil {
		return err
	}
	if err := w.api.start(); err != nil {
		return err
	}
	if _, given := c.Env[apiTarget]; !given {
		config.Cmd.Env = append(config.Cmd.Env, apiTarget+"="+w.api.address)
	}
	return nil
}

func (a *grpcAPI) start() error {
	a.serving.Lock()
	defer a.serving.Unlock()
	if a.server != nil {
		return fail("argument", "the API is served already")
	}
	listener, err := net.Listen("tcp", a.address)
	if err != nil {
		return fail("argument", "%s", err)
	}
	a.address = listener.Addr().String()
	breaks, server := newBreakable(listener), grpc.NewServer(grpc.ForceServerCodecV2(raw{}))
	server.RegisterService(a.service, nil)
	a.listener.Store(breaks)
	a.server = server
	go func() { _ = server.Serve(breaks) }()
	return nil
}

// stop tells whether the API was served. Calls under way end with their
// connections.
func (a *grpcAPI) stop() bool {
	a.serving.Lock()
	defer a.serving.Unlock()
	if a.server == nil {
		return false
	}
	a.server.Stop()
	a.server = nil
	return true
}

func (w *overGRPC) startAPI(*command) (any, error) {
	if w.api == nil {
		return nil, errNoAPI
	}
	return result{"address": w.api.address}, w.api.start()
}

func (w *overGRPC) stopAPI(*command) (any, error) {
	if w.api == nil {
		return nil, errNoAPI
	}
	if !w.api.stop() {
		return nil, fail("argument", "the API is stopped already")
	}
	return result{}, nil
}

func (w *overGRPC) close() {
	if w.api != nil {
		w.api.stop()
	}
}

func (w *overGRPC) served() (*api, error) {
	if w.api == nil {
		return nil, errNoAPI
	}
	return w.api.api, nil
}

func (w *overGRPC) parseAnswer(method string, text json.RawMessage) (*apiAnswer, error) {
	called, err := findMethod(w.protos.api, method)
	if err != nil {
		return nil, err
	}
	var state *grpcStatus
	answer, rest, err := readManner(method, text, map[string]any{"grpc_status": &state})
	if err != nil {
		return nil, err
	}
	if state != nil && code.Code_value[state.Code] == 0 {
		return nil, badAnswer(method, fmt.Errorf("gRPC has no code %q of an error", state.Code))
	}
	response := dynamicpb.NewMessage(called.Output())
	if err := protojson.Unmarshal(rest, response); err != nil {
		return nil, badAnswer(method, err)
	}
	answer.grpcStatus = state
	answer.body, err = proto.Marshal(response)
	return answer, err
}

func findMethod(service protoreflect.ServiceDescriptor, name string) (protoreflect.MethodDescriptor, error) {
	if service != nil {
		if method := service.Methods().ByName(protoreflect.Name(name)); method != nil {
			return method, nil
		}
	}
	return nil, fail("argument", "the .proto files have no API method %q", name)
}

// answer carries a call out.
func (w *overGRPC) answer(ctx context.Context, method protoreflect.MethodDescriptor, data []byte) ([]byte, error) {
	request := dynamicpb.NewMessage(method.Input())
	if err := proto.Unmarshal(data, request); err != nil {
		return nil, status.Errorf(codes.Internal, "grpc: error unmarshalling request: %v", err) // gRPC's own text
	}
	name := string(method.Name())
	given, kv := w.api.arrived(name, callTold(ctx, method, data))
	if level, ok := logLevels[name]; ok && given.succeeds() {
		message, details := logEntry(request)
		w.api.logger.Log(level, message, details...)
	}
	if given == nil {
		return w.usual(method, request, kv)
	}

	select {
	case <-time.After(given.delay()):
	case <-ctx.Done():
	}
	response := given.body.([]byte)
	if given.empty {
		if stored, ok, err := fromStore(kv, method, request); ok {
			if err != nil {
				return nil, err
			}
			response = stored
		}
	}
	if given.Call != nil {
		var err error
		if response, err = w.callBefore(ctx, given.Call, method, request, response); err != nil {
			return nil, err
		}
	}
	if given.Never {
		<-ctx.Done()
	}
	switch {
	case ctx.Err() != nil:
		return nil, status.FromContextError(ctx.Err()).Err()
	case given.grpcStatus != nil:
		return nil, given.grpcStatus.err()
	case given.RawHex != nil:
		response = given.raw
	}
	if given.Cut {
		w.api.listener.Load().cut(ctx)
	}
	return response, nil
}

// callTold describes a call when somebody asks for it.
func callTold(ctx context.Context, method protoreflect.MethodDescriptor, data []byte) func() result {
	var timeout any
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline).Milliseconds()
	}
	return func() result {
		request := dynamicpb.NewMessage(method.Input())
		_ = proto.Unmarshal(data, request) // it could be read when it arrived
		text, err := toJSON(request)
		if err != nil { // a Value without a kind, say
			text, _ = json.Marshal(fmt.Sprintf("no JSON: %s", err))
		}
		return result{"request": text, "request_hex": hex.EncodeToString(data), "timeout_ms": timeout}
	}
}

// logEntry gives what one of the Log methods is called with.
func logEntry(request protoreflect.Message) (string, []any) {
	details := []any{}
	pairs := request.Get(field(request, "key_value_pairs")).List()
	for i := range pairs.Len() {
		pair := pairs.Get(i).Message()
		var value any
		if text, err := toJSON(pair.Get(field(pair, "value")).Message().Interface()); err == nil {
			_ = json.Unmarshal(text, &value)
		}
		details = append(details, pair.Get(field(pair, "key")).String(), value)
	}
	return request.Get(field(request, "msg")).String(), details
}

// usual is what a method answers that has no answer: everything set, but no error;
// the plugin's own configuration is empty.
func (w *overGRPC) usual(method protoreflect.MethodDescriptor, request protoreflect.Message, kv *kvStore) ([]byte, error) {
	if stored, ok, err := fromStore(kv, method, request); ok {
		return stored, err
	}
	filled := w.api.fillOnce(string(method.Name()), func() any {
		data, err := deterministic.Marshal(filledResponse(method))
		if err != nil {
			panic(err) // it is made here
		}
		return data
	})
	return filled.([]byte), nil
}

// fromStore answers from the key-value store, if that has the method, with the
// status that Mattermost makes of an error.
func fromStore(kv *kvStore, method protoreflect.MethodDescriptor, request protoreflect.Message) ([]byte, bool, error) {
	response := dynamicpb.NewMessage(method.Output())
	ok, problem := kv.overGRPC(string(method.Name()), request, response)
	if problem != nil {
		return nil, ok, status.Errorf(codes.InvalidArgument, "%s: %s", problem.Id, problem.Message)
	}
	if !ok {
		return nil, false, nil
	}
	data, err := proto.Marshal(response)
	return data, true, err
}

// callBefore calls the hook that an answer has to wait for, and gives the answer:
// that which was wanted, or the post that came back.
func (w *overGRPC) callBefore(
	ctx context.Context, k *hookCall, method protoreflect.MethodDescriptor, request protoreflect.Message, wanted []byte,
) ([]byte, error) {
	select {
	case <-w.ready:
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	c := k.command()
	if !k.passesPost(string(method.Name())) {
		if _, err := w.call(c); err != nil {
			return nil, hookFailed(k, err)
		}
		return wanted, nil
	}
	hook := findHook(w.protos.hooks, k.Hook)
	posted, decided := dynamicpb.NewMessage(hook.method.Input()), dynamicpb.NewMessage(hook.method.Output())
	copyMessage(posted, "post", request, "post")
	data, err := proto.Marshal(posted)
	if err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, c.timeout())
	defer cancel()
	answered, err := invoke(within, w.conn, hook.path, [][]byte{data})
	if err == nil {
		err = proto.Unmarshal(answered[0], decided)
	}
	if err != nil {
		return nil, hookFailed(k, err)
	}
	if reason := decided.Get(field(decided, "rejection_reason")).String(); reason != "" {
		text := rejected + reason
		return nil, status.Errorf(codes.InvalidArgument, "%s: %s", text, text)
	}
	created := dynamicpb.NewMessage(method.Output())
	if decided.Has(field(decided, "modified_post")) {
		copyMessage(created, "post", decided, "modified_post")
	} else {
		copyMessage(created, "post", request, "post")
	}
	return proto.Marshal(created)
}

func hookFailed(k *hookCall, err error) error {
	return status.Errorf(codes.Internal, "the hook %s: %s", k.Hook, err)
}

func field(m protoreflect.Message, name protoreflect.Name) protoreflect.FieldDescriptor {
	return m.Descriptor().Fields().ByName(name)
}

func copyMessage(to protoreflect.Message, toName protoreflect.Name, from protoreflect.Message, fromName protoreflect.Name) {
	to.Set(field(to, toName), from.Get(field(from, fromName)))
}
