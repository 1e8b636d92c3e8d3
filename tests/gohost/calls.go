package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

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

func (p *running) call(c *command) (any, error) {
	k := findHook(p.hooks, c.Hook)
	requests, err := k.requests(c)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout())
	defer cancel()

	began := time.Now()
	exchange := invoke
	if k.streams {
		exchange = stream
	}
	responses, err := exchange(ctx, p.conn, k.path, requests)
	if err != nil {
		return nil, rpcFailure(err, began)
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

// rpcFailure has gRPC's own name for the code, which is Python's, too.
func rpcFailure(err error, began time.Time) *failure {
	state := status.Convert(err)
	return &failure{Code: code.Code(state.Code()).String(), Message: state.Message(), MS: ms(began)}
}
