package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"gohost/contract"
)

// What errors may be on the wire, by their registered names.
var errorTypes = map[string]reflect.Type{
	"*model.AppError":     reflect.TypeFor[contract.AppError](),
	"*plugin.ErrorString": reflect.TypeFor[contract.ErrorString](),
}

var anError = reflect.TypeFor[error]()

// described is a value as JSON under the key, and beside it what its JSON leaves
// out: fields with the tag "-", by their path.
func described(key string, value any) result {
	hidden := map[string]json.RawMessage{}
	collectHidden(hidden, "", reflect.ValueOf(value))
	text, err := toJSONValue(value)
	if err != nil {
		// Such a value has come over gob all the same, an infinite float say.
		text, _ = json.Marshal(fmt.Sprintf("no JSON: %s", err))
	}
	return result{key: text, "hidden": hidden}
}

// toJSONValue is JSON as Mattermost writes it; an error that is an interface
// has its type's registered name beside its fields.
func toJSONValue(value any) (json.RawMessage, error) {
	v := reflect.Indirect(reflect.ValueOf(value))
	if !hasErrors(v) {
		return json.Marshal(v.Interface())
	}
	fields := map[string]any{}
	for i := range v.NumField() {
		field := v.Field(i)
		if field.Type() == anError && !field.IsNil() {
			named, err := namedError(field.Elem())
			if err != nil {
				return nil, err
			}
			fields[v.Type().Field(i).Name] = named
		} else {
			fields[v.Type().Field(i).Name] = field.Interface()
		}
	}
	return json.Marshal(fields)
}

func hasErrors(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return false
	}
	return slices.ContainsFunc(reflect.VisibleFields(v.Type()), func(field reflect.StructField) bool {
		return field.Type == anError
	})
}

func namedError(v reflect.Value) (map[string]any, error) {
	text, err := json.Marshal(v.Interface())
	if err != nil {
		return nil, err
	}
	fields := map[string]any{}
	for name, type_ := range errorTypes {
		if v.Type() == reflect.PointerTo(type_) {
			fields["type"] = name
		}
	}
	return fields, json.Unmarshal(text, &fields)
}

// fromJSON sets the fields that the JSON object has, over what is there. A key
// that is not known is an error, and so is one that is spelt otherwise.
func fromJSON(text json.RawMessage, target any) error {
	v := reflect.ValueOf(target).Elem()
	if len(text) == 0 {
		return nil
	}
	if !hasErrors(v) && !strings.HasPrefix(v.Type().Name(), "Z_") {
		return strictly(text, target)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return err
	}
	for name, text := range fields {
		field := v.FieldByName(name)
		if !field.IsValid() {
			return fmt.Errorf("%s has no field %q", v.Type().Name(), name)
		}
		if err := setField(field, text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func setField(field reflect.Value, text json.RawMessage) error {
	switch {
	case field.Type() == anError && string(text) != "null":
		var kind struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(text, &kind); err != nil {
			return err
		}
		type_, ok := errorTypes[kind.Type]
		if !ok {
			return fmt.Errorf("there is no error of type %q", kind.Type)
		}
		field.Set(reflect.New(type_))
		return json.Unmarshal(text, field.Interface())
	case field.Type() == reflect.TypeFor[[]byte]() && text[0] == '{':
		field.SetBytes(text) // a plugin's configuration reads better than its base64
		return nil
	}
	return strictly(text, field.Addr().Interface())
}

func strictly(text json.RawMessage, target any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return fmt.Errorf("there is something after the value")
	}
	return nil
}

func collectHidden(into map[string]json.RawMessage, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			collectHidden(into, path, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			collectHidden(into, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	case reflect.Map:
		for entries := v.MapRange(); entries.Next(); {
			collectHidden(into, fmt.Sprintf("%s[%v]", path, entries.Key()), entries.Value())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			at := strings.TrimPrefix(path+"."+field.Name, ".")
			if field.Tag.Get("json") == "-" {
				into[at], _ = json.Marshal(v.Field(i).Interface())
			} else {
				collectHidden(into, at, v.Field(i))
			}
		}
	}
}

// clone copies a value with all that it points to.
func clone(v reflect.Value) reflect.Value {
	copied := reflect.New(v.Type()).Elem()
	copied.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			copied.Set(reflect.New(v.Type().Elem()))
			copied.Elem().Set(clone(v.Elem()))
		}
	case reflect.Interface:
		if !v.IsNil() {
			copied.Set(clone(v.Elem()))
		}
	case reflect.Slice:
		if !v.IsNil() {
			copied.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				copied.Index(i).Set(clone(v.Index(i)))
			}
		}
	case reflect.Map:
		if !v.IsNil() {
			copied.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for entries := v.MapRange(); entries.Next(); {
				copied.SetMapIndex(entries.Key(), clone(entries.Value()))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				copied.Field(i).Set(clone(v.Field(i)))
			}
		}
	}
	return copied
}
