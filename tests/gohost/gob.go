package main

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"reflect"
	"slices"

	"gohost/contract"
)

// gobType finds a type of the contract, or the struct of a call, by its name.
func gobType(name string) (reflect.Type, error) {
	types := slices.Clone(contract.Types)
	for _, call := range slices.Concat(contract.Hooks, contract.API) {
		types = append(types, call.Args, call.Returns)
	}
	types = append(types, reflect.TypeFor[anything]())
	at := slices.IndexFunc(types, func(type_ reflect.Type) bool { return type_.Name() == name })
	if at < 0 {
		return nil, fail("argument", "the contract has no type %q", name)
	}
	return types[at], nil
}

// anything is a struct around a value of an interface, which gob wants.
type anything struct{ V any }

func encoded(value any) []byte {
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).Encode(value); err != nil {
		panic(err) // all that is made here can be encoded
	}
	return out.Bytes()
}

// gobEncode answers with what a new encoder writes for a value.
func gobEncode(c *command) (any, error) {
	type_, err := gobType(c.Type)
	if err != nil {
		return nil, err
	}
	value := reflect.New(type_)
	if c.Seed != nil {
		seed, err := c.seed()
		if err != nil {
			return nil, err
		}
		f := newStructFiller(seed)
		f.zeros, f.errors = c.Zeros, true
		f.fill(value.Elem())
	}
	if err := fromJSON(c.Value, value.Interface()); err != nil {
		return nil, fail("argument", "value: %s", err)
	}
	var out bytes.Buffer
	if err := gob.NewEncoder(&out).EncodeValue(value); err != nil {
		return nil, fail("gob", "%s", err)
	}
	answer := described("value", value.Interface())
	answer["hex"] = hex.EncodeToString(out.Bytes())
	return answer, nil
}

// gobDecode answers with what a new decoder reads, over a value if there is one.
func gobDecode(c *command) (any, error) {
	type_, err := gobType(c.Type)
	if err != nil {
		return nil, err
	}
	value := reflect.New(type_)
	if err := fromJSON(c.Into, value.Interface()); err != nil {
		return nil, fail("argument", "into: %s", err)
	}
	left, err := decodeHex(c.Hex, value)
	if err != nil {
		return nil, err
	}
	answer := described("value", value.Interface())
	answer["left"] = left
	return answer, nil
}

// gobDecodeAny does the same with what is in an interface, and names its type.
func gobDecodeAny(c *command) (any, error) {
	value := &anything{}
	left, err := decodeHex(c.Hex, reflect.ValueOf(value))
	if err != nil {
		return nil, err
	}
	answer := described("value", &value.V)
	answer["left"], answer["type"] = left, nil
	if value.V != nil {
		answer["type"] = reflect.TypeOf(value.V).String()
	}
	return answer, nil
}

// decodeHex reads one value, and tells how many bytes are left.
func decodeHex(text string, into reflect.Value) (int, error) {
	data, err := hex.DecodeString(text)
	if err != nil {
		return 0, fail("argument", "hex: %s", err)
	}
	reader := bytes.NewReader(data)
	if err := gob.NewDecoder(reader).DecodeValue(into); err != nil {
		return 0, fail("gob", "%s", err)
	}
	return reader.Len(), nil
}
