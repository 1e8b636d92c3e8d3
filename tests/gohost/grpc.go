package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// overGRPC is the wire of Mattermost's runtime for Python plugins.
type overGRPC struct {
	plugin.NetRPCUnsupportedPlugin
	protos protos
	api    *grpcAPI // nil unless asked for
	conn   *grpc.ClientConn
	ready  chan struct{} // closed when conn is there
}

func newOverGRPC(p protos) *overGRPC { return &overGRPC{protos: p, ready: make(chan struct{})} }

func (w *overGRPC) configure(config *plugin.ClientConfig, c *command) error {
	config.Plugins = plugin.PluginSet{"plugin": w}
	config.AllowedProtocols = []plugin.Protocol{plugin.ProtocolGRPC}
	config.StartTimeout = 10 * time.Second
	config.GRPCBrokerMultiplex = c.Multiplex
	if !c.WithAPI {
		if c.Answers != nil || c.KV != nil {
			return errNoAPI
		}
		return nil
	}
	return w.offerAPI(config, c)
}

func (w *overGRPC) GRPCServer(*plugin.GRPCBroker, *grpc.Server) error {
	return errors.New("gohost serves no plugin")
}

// GRPCClient gives the connection itself, since hooks are called without
// generated stubs.
func (w *overGRPC) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	w.conn = conn
	close(w.ready)
	return conn, nil
}

func (w *overGRPC) connect(protocol plugin.ClientProtocol, _ *command) (result, error) {
	_, err := protocol.Dispense("plugin")
	return result{}, err
}

func (w *overGRPC) deactivate() {}

// raw is a codec that leaves bytes alone: request_hex is sent and response_hex
// is received as it is, and a benchmark measures no protobuf work. Without a
// name the content type is the plain one that Mattermost sends.
type raw struct{}

func (raw) Name() string { return "" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// hook is a method by name. One that the contract does not have is called with
// bytes only.
type hook struct {
	path    string
	method  protoreflect.MethodDescriptor // nil if unknown
	streams bool
}

func findHook(hooks protoreflect.ServiceDescriptor, name string) hook {
	k := hook{
		path:   fmt.Sprintf("/%s/%s", hooks.FullName(), name),
		method: hooks.Methods().ByName(protoreflect.Name(name)),
	}
	k.streams = k.method != nil && (k.method.IsStreamingClient() || k.method.IsStreamingServer())
	return k
}

// requests gives the bytes to send: one message (if the command has none, an
// empty one), or those for a stream.
func (k hook) requests(c *command) ([][]byte, error) {
	if c.RequestHex != nil {
		data, err := hex.DecodeString(*c.RequestHex)
		if err != nil {
			return nil, fail("argument", "request_hex: %s", err)
		}
		return [][]byte{data}, nil
	}
	if k.method == nil {
		return nil, fail("argument", "%s is not in the contract: it needs request_hex", k.path)
	}
	if c.Requests == nil {
		c.Requests = []json.RawMessage{c.Request}
	} else if !k.streams {
		return nil, fail("argument", `"requests" is for streams`)
	}
	var encoded [][]byte
	for _, request := range c.Requests {
		message := dynamicpb.NewMessage(k.method.Input())
		if len(request) > 0 {
			if err := protojson.Unmarshal(request, message); err != nil {
				return nil, fail("argument", "request: %s", err)
			}
		}
		data, err := proto.Marshal(message)
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, data)
	}
	return encoded, nil
}

// decode gives a response as protojson, null if the hook is unknown.
func (k hook) decode(response []byte) (json.RawMessage, error) {
	if k.method == nil {
		return nil, nil
	}
	message := dynamicpb.NewMessage(k.method.Output())
	if err := proto.Unmarshal(response, message); err != nil {
		return nil, fail("response", "not a %s: %s (%x)", k.method.Output().Name(), err, response)
	}
	return toJSON(message)
}

func toJSON(message proto.Message) (json.RawMessage, error) {
	return protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
}

func (w *overGRPC) call(c *command) (any, error) {
	k := findHook(w.protos.hooks, c.Hook)
	requests, err := k.requests(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout())
	defer cancel()

	began := time.Now()
	send := invoke
	if k.streams {
		send = stream
	}
	responses, err := send(ctx, w.conn, k.path, requests)
	if err != nil {
		return nil, w.failure(err, began)
	}
	took := ms(began)

	decoded, encoded := []json.RawMessage{}, []string{}
	for _, response := range responses {
		message, err := k.decode(response)
		if err != nil {
			return nil, err
		}
		decoded = append(decoded, message)
		encoded = append(encoded, hex.EncodeToString(response))
	}
	switch {
	case k.streams:
		return result{"responses": decoded, "responses_hex": encoded, "ms": took}, nil
	case k.method == nil:
		return result{"response_hex": encoded[0], "ms": took}, nil
	default:
		return result{"response": decoded[0], "response_hex": encoded[0], "ms": took}, nil
	}
}

func invoke(ctx context.Context, conn *grpc.ClientConn, path string, requests [][]byte) ([][]byte, error) {
	var response []byte
	err := conn.Invoke(ctx, path, requests[0], &response, grpc.ForceCodecV2(raw{}))
	return [][]byte{response}, err
}

// stream sends everything and then reads until the plugin ends the stream.
func stream(ctx context.Context, conn *grpc.ClientConn, path string, requests [][]byte) (responses [][]byte, err error) {
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	s, err := conn.NewStream(ctx, both, path, grpc.ForceCodecV2(raw{}))
	if err != nil {
		return nil, err
	}
	for _, request := range requests {
		// EOF: the plugin has ended the stream already; reading tells why.
		if err := s.SendMsg(request); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	if err := s.CloseSend(); err != nil {
		return nil, err
	}
	for {
		var response []byte
		err := s.RecvMsg(&response)
		if errors.Is(err, io.EOF) {
			return responses, nil
		}
		if err != nil {
			return nil, err
		}
		responses = append(responses, response)
	}
}

// exchanges encodes the request once: a benchmark measures no protobuf work.
func (w *overGRPC) exchanges(c *command) (func() exchange, error) {
	k := findHook(w.protos.hooks, c.Hook)
	if k.streams {
		return nil, fail("argument", "bench is not for streams")
	}
	requests, err := k.requests(c)
	return func() exchange { return &grpcExchange{c: c, conn: w.conn, path: k.path, requests: requests} }, err
}

type grpcExchange struct {
	c        *command
	conn     *grpc.ClientConn
	path     string
	requests [][]byte
	response []byte
}

func (e *grpcExchange) send() error {
	// A deadline a call, as Mattermost sets it: it is a header on the wire.
	ctx, cancel := context.WithTimeout(context.Background(), e.c.timeout())
	defer cancel()
	responses, err := invoke(ctx, e.conn, e.path, e.requests)
	e.response = responses[0]
	return err
}

func (e *grpcExchange) answer(sent bool) result {
	if !sent {
		return result{"response_hex": nil}
	}
	return result{"response_hex": hex.EncodeToString(e.response)}
}

// failure has gRPC's own name for the code, which is Python's, too.
func (w *overGRPC) failure(err error, began time.Time) *failure {
	state := status.Convert(err)
	return &failure{Code: code.Code(state.Code()).String(), Message: state.Message(), MS: ms(began)}
}
