package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"gohost/contract"
)

// How often a message that contains itself is filled along one path.
const maxNesting = 2

var deterministic = proto.MarshalOptions{Deterministic: true}

// fill answers with a request of the hook, or the API method, in which every field
// is set; and with what the API answers when nobody has said what it is to be.
func (w *overGRPC) fill(c *command) (any, error) {
	method := findHook(w.protos.hooks, c.Hook).method
	if c.API != "" {
		var err error
		if method, err = findMethod(w.protos.api, c.API); err != nil {
			return nil, err
		}
	}
	if method == nil {
		return nil, fail("argument", "fill needs a hook of the contract")
	}
	seed, err := c.seed()
	if err != nil {
		return nil, err
	}
	message := dynamicpb.NewMessage(method.Input())
	newFiller(seed).message(message)
	filled := result{}
	if err := filled.add("request", message); err != nil {
		return nil, err
	}
	if c.API != "" {
		err = filled.add("response", filledResponse(method))
	}
	return filled, err
}

// add describes a message under a key, and its bytes beside it.
func (r result) add(key string, message proto.Message) error {
	text, err := toJSON(message)
	if err != nil {
		return err
	}
	data, err := deterministic.Marshal(message)
	r[key], r[key+"_hex"] = text, hex.EncodeToString(data)
	return err
}

// filledResponse is what an API method answers that has no answer: it has succeeded.
func filledResponse(method protoreflect.MethodDescriptor) proto.Message {
	response := dynamicpb.NewMessage(method.Output())
	f := newFiller(0)
	f.message(response)
	if failed := field(response, "error"); failed != nil {
		response.Clear(failed)
	}
	return response
}

// filler makes the same values for the same seed. Two messages of one type in
// one request differ, or nobody would notice that they were exchanged.
type filler struct {
	seed     int
	messages int
	values   int                       // of messages that hold anything, so far
	copies   map[protoreflect.Name]int // messages so far, by type
	nesting  map[protoreflect.Name]int // messages around a value, by type
}

func newFiller(seed int) *filler {
	return &filler{seed: seed, copies: map[protoreflect.Name]int{}, nesting: map[protoreflect.Name]int{}}
}

func (f *filler) message(m protoreflect.Message) {
	name := m.Descriptor().Name()
	f.nesting[name]++
	defer func() { f.nesting[name]-- }()
	f.messages++
	f.copies[name]++
	suffix := fmt.Sprintf("#%d", f.seed)
	if f.copies[name] > 1 {
		suffix += fmt.Sprintf(".%d", f.copies[name])
	}

	for i := range m.Descriptor().Fields().Len() {
		field := m.Descriptor().Fields().Get(i)
		text := func(part string) string { return fmt.Sprintf("%s.%s%s%s", name, field.Name(), part, suffix) }
		// The last digit is for elements, those before it are the field's.
		number := int64(f.seed)*1_000_000 + int64(f.messages)*1000 + int64(field.Number())*10
		switch {
		case f.tooDeep(field):
		case field.IsMap():
			entries := m.Mutable(field).Map()
			for e := range int64(2) {
				key := f.value(field.MapKey(), protoreflect.Value{}, text(fmt.Sprintf(".key[%d]", e)), number+e)
				value := f.value(field.MapValue(), entries.NewValue(), text(fmt.Sprintf(".value[%d]", e)), number+e)
				entries.Set(key.MapKey(), value)
			}
		case field.IsList():
			list := m.Mutable(field).List()
			for e := range int64(2) {
				list.Append(f.value(field, list.NewElement(), text(fmt.Sprintf("[%d]", e)), number+e))
			}
		default:
			m.Set(field, f.value(field, m.NewField(field), text(""), number))
		}
	}
}

func (f *filler) tooDeep(field protoreflect.FieldDescriptor) bool {
	if field.IsMap() {
		field = field.MapValue()
	}
	return field.Message() != nil && f.nesting[field.Message().Name()] >= maxNesting
}

// value makes a value of the field's kind, in empty if it is a message.
func (f *filler) value(field protoreflect.FieldDescriptor, empty protoreflect.Value, text string, number int64) protoreflect.Value {
	switch kind := field.Kind(); kind {
	case protoreflect.StringKind:
		switch field.FullName().Parent().Name() + "." + field.Name() {
		case "PushNotification.badge", "PushNotification.cont_ava":
			text = strconv.FormatInt(number, 10) // numbers that the contract sends as text
		}
		return protoreflect.ValueOfString(text)
	case protoreflect.BytesKind:
		if strings.HasSuffix(string(field.Parent().Name()), "Json") {
			return protoreflect.ValueOfBytes([]byte("{}"))
		}
		if strings.HasSuffix(string(field.Name()), "_json") {
			return protoreflect.ValueOfBytes(f.asJSON(field))
		}
		return protoreflect.ValueOfBytes([]byte("bytes " + string(field.Name())))
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(true)
	case protoreflect.EnumKind:
		return protoreflect.ValueOfEnum(field.Enum().Values().Get(1).Number())
	case protoreflect.Int32Kind:
		return protoreflect.ValueOfInt32(int32(number))
	case protoreflect.Uint32Kind:
		return protoreflect.ValueOfUint32(uint32(number))
	case protoreflect.Int64Kind:
		return protoreflect.ValueOfInt64(1<<33 + number) // cut to 32 bits it is another number
	case protoreflect.MessageKind:
		switch field.Message().FullName() {
		case "google.protobuf.Struct":
			fillFrom(kindsOfJSON(text), empty.Message().Interface())
		case "google.protobuf.Value":
			all := []string{fmt.Sprintf("%q", text), "7", "true", "1.5", `["one", 2]`, kindsOfJSON(text)}
			fillFrom(all[f.values%len(all)], empty.Message().Interface())
			f.values++
		default:
			f.message(empty.Message())
		}
		return empty
	default:
		panic(fmt.Sprintf("%s: fill makes no %s", field.FullName(), kind))
	}
}

// kindsOfJSON has one value of every kind.
func kindsOfJSON(text string) string {
	return fmt.Sprintf(`{"text": %q, "whole": 7, "fraction": 1.5, "yes": true, "nothing": null,
		"list": [1, "two", {"three": 3}], "nested": {"a": {"b": 1}}}`, text)
}

func fillFrom(content string, message proto.Message) {
	if err := protojson.Unmarshal([]byte(content), message); err != nil {
		panic(err) // it is made here
	}
}

// What fields of the API hold as the JSON of a type in Go.
var jsonTypes = map[protoreflect.Name]reflect.Type{
	"config_json":  reflect.TypeFor[contract.Config](),
	"license_json": reflect.TypeFor[contract.License](),
	"limits_json":  reflect.TypeFor[contract.ProductLimits](),
}

// asJSON fills such a type; a plugin's own configuration is empty.
func (f *filler) asJSON(field protoreflect.FieldDescriptor) []byte {
	type_, ok := jsonTypes[field.Name()]
	if !ok || field.Parent().Name() == "LoadPluginConfigurationResponse" {
		return []byte("{}")
	}
	value := reflect.New(type_)
	newStructFiller(f.seed).fill(value.Elem())
	data, err := json.Marshal(value.Interface())
	if err != nil {
		panic(err) // all of it has JSON
	}
	return data
}
