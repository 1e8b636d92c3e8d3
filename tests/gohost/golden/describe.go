package main

import (
	"encoding"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// describe gives a value in JSON's terms: structs are objects by the names of
// their fields, and what JSON has no word for is an object with one key, "$" and
// what it is.
func describe(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	switch opaque := v.Interface().(type) {
	case time.Time:
		if _, offset := opaque.Zone(); offset%60 != 0 {
			return map[string]any{"$time": opaque.Format("2006-01-02T15:04:05.999999999Z07:00:00")}
		}
		return map[string]any{"$time": opaque.Format(time.RFC3339Nano)}
	case big.Int:
		return map[string]any{"$text": opaque.String()}
	case url.URL:
		return map[string]any{"$text": opaque.String()}
	case gob.GobEncoder, encoding.BinaryMarshaler:
		if v.Kind() != reflect.Pointer {
			return map[string]any{"$text": fmt.Sprint(opaque)}
		}
	}
	switch v.Kind() {
	case reflect.Float32, reflect.Float64:
		if f := v.Float(); math.IsNaN(f) || math.IsInf(f, 0) || f == 0 && math.Signbit(f) {
			return map[string]any{"$float": fmt.Sprint(f)}
		}
	case reflect.Complex64, reflect.Complex128:
		return map[string]any{"$complex": []float64{real(v.Complex()), imag(v.Complex())}}
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return map[string]any{"$string": hex.EncodeToString([]byte(v.String()))}
		}
	case reflect.Pointer:
		return describe(v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return map[string]any{"$any": describe(v.Elem()), "$type": registeredNames.Replace(v.Elem().Type().String())}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			bytes := []byte{}
			for i := range v.Len() {
				bytes = append(bytes, byte(v.Index(i).Uint()))
			}
			return map[string]any{"$bytes": hex.EncodeToString(bytes)}
		}
		if v.Kind() == reflect.Slice && v.IsNil() {
			return nil
		}
		all := []any{}
		for i := range v.Len() {
			all = append(all, describe(v.Index(i)))
		}
		return all
	case reflect.Map:
		pairs, object := [][2]any{}, map[string]any{}
		for entries := v.MapRange(); entries.Next(); {
			pairs = append(pairs, [2]any{describe(entries.Key()), describe(entries.Value())})
			object[fmt.Sprint(entries.Key())] = describe(entries.Value())
		}
		if v.Type().Key().Kind() == reflect.String {
			return object
		}
		slices.SortFunc(pairs, func(a, b [2]any) int { return strings.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])) })
		return map[string]any{"$map": pairs}
	case reflect.Struct:
		fields := map[string]any{}
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Type.Kind() != reflect.Chan && field.Type.Kind() != reflect.Func {
				fields[field.Name] = describe(v.Field(i))
			}
		}
		return fields
	}
	return v.Interface()
}

// registeredNames makes the name under which a type is registered of Go's own.
var registeredNames = strings.NewReplacer(
	"main.", "golden.", "time.Time", "golden.time", "contract.AppError", "model.AppError",
	"contract.ErrorString", "plugin.ErrorString", "contract.MessageAttachment", "model.SlackAttachment",
)

// typeName is a type as Go writes it, without this program's package.
func typeName(v any) string {
	name := strings.ReplaceAll(fmt.Sprintf("%T", v), "main.", "")
	if len(name) > 120 {
		name = name[:100] + " …"
	}
	return name
}
