package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

// How often a message that contains itself is filled along one path.
const maxNesting = 2

// fill answers with a request of the hook in which every field is set.
func (w *overGRPC) fill(c *command) (any, error) {
	k := findHook(w.hooks, c.Hook)
	if k.method == nil {
		return nil, fail("argument", "fill needs a hook of the contract")
	}
	seed, err := c.seed()
	if err != nil {
		return nil, err
	}
	message := dynamicpb.NewMessage(k.method.Input())
	f := filler{seed: seed, copies: map[protoreflect.Name]int{}, nesting: map[protoreflect.Name]int{}}
	f.message(message)

	request, err := toJSON(message)
	if err != nil {
		return nil, err
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(message)
	if err != nil {
		return nil, err
	}
	return result{"request": request, "request_hex": hex.EncodeToString(data)}, nil
}

// filler makes the same values for the same seed. Two messages of one type in
// one request differ, or nobody would notice that they were exchanged.
type filler struct {
	seed     int
	messages int
	copies   map[protoreflect.Name]int // messages so far, by type
	nesting  map[protoreflect.Name]int // messages around a value, by type
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
		if field.Message().FullName() == "google.protobuf.Struct" {
			fillStruct(empty.Message().Interface(), text)
		} else {
			f.message(empty.Message())
		}
		return empty
	default:
		panic(fmt.Sprintf("%s: fill makes no %s", field.FullName(), kind))
	}
}

// fillStruct puts one value of every kind that JSON has into a Struct.
func fillStruct(message proto.Message, text string) {
	content := fmt.Sprintf(`{"text": %q, "whole": 7, "fraction": 1.5, "yes": true, "nothing": null,
		"list": [1, "two", {"three": 3}], "nested": {"a": {"b": 1}}}`, text)
	if err := protojson.Unmarshal([]byte(content), message); err != nil {
		panic(err) // constant but for text
	}
}
