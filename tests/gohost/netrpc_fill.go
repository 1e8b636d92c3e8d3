package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"

	"gohost/contract"
)

// fill answers with the arguments of a hook, or of an API method, in which every
// field is set.
func (w *overNetRPC) fill(c *command) (any, error) {
	calls, name := contract.Hooks, c.Hook
	if c.API != "" {
		calls, name = contract.API, c.API
	}
	if !slices.ContainsFunc(calls, func(call contract.Call) bool { return call.Name == name }) {
		return nil, fail("argument", "fill needs a hook or an API method of the contract")
	}
	if c.Seed == nil {
		c.Seed = new(int)
	}
	args, _, err := c.goArgs(calls, name)
	if err != nil {
		return nil, err
	}
	return described("args", args.Interface()), nil
}

// bigPost asks for a MessageWillBePosted with a post of about that size in gob.
type bigPost struct {
	Size  int `json:"size"`
	Props int `json:"props"`
}

// goArgs makes the arguments, a pointer, of a call and gives the type of what it
// returns. A call that the contract does not have has neither.
func (c *command) goArgs(calls []contract.Call, name string) (reflect.Value, reflect.Type, error) {
	none := reflect.TypeFor[struct{}]()
	call := contract.Call{Args: none, Returns: none}
	if at := slices.IndexFunc(calls, func(call contract.Call) bool { return call.Name == name }); at >= 0 {
		call = calls[at]
	}
	args := reflect.New(call.Args)
	if c.Seed != nil {
		seed, err := c.seed()
		if err != nil {
			return args, nil, err
		}
		f := newStructFiller(seed)
		f.zeros = c.Zeros
		f.fill(args.Elem())
	}
	if c.Post != nil {
		posted, ok := args.Interface().(*contract.Z_MessageWillBePostedArgs)
		if !ok {
			return args, nil, fail("argument", `"post" is for MessageWillBePosted`)
		}
		*posted = c.Post.args()
	}
	if err := fromJSON(c.Args, args.Interface()); err != nil {
		return args, nil, fail("argument", "args: %s", err)
	}
	return args, call.Returns, nil
}

func (b *bigPost) args() contract.Z_MessageWillBePostedArgs {
	id := strings.Repeat("abcdefghijklm", 2)
	post := &contract.Post{Id: id, UserId: id, ChannelId: id, CreateAt: 1_700_000_000_000, Props: contract.StringInterface{}}
	for i := range b.Props {
		post.Props[fmt.Sprintf("prop%02d", i)] = map[string]any{
			"text":  fmt.Sprintf("the value of number %d", i),
			"whole": int64(1_000_000 + i),
			"part":  float64(i) + 0.5,
			"list":  []any{"one", 2.0, true},
		}
	}
	args := contract.Z_MessageWillBePostedArgs{A: &contract.Context{SessionId: id, RequestId: id}, B: post}
	size := len(encoded(args))
	post.Message = strings.Repeat("x", max(b.Size-size, 0))
	return args
}

func fillReturns(target any) { newStructFiller(0).fill(reflect.ValueOf(target).Elem()) }

// structFiller makes the same values for the same seed. Two structs of one type
// differ, or nobody would notice that they were exchanged.
type structFiller struct {
	seed    int
	zeros   bool // what holds something is there, and what it holds is zero
	errors  bool // those that are returned are set, too
	structs int
	kinds   int
	copies  map[reflect.Type]int // structs so far, by type
	nesting map[reflect.Type]int // structs around a value, by type
}

func newStructFiller(seed int) *structFiller {
	return &structFiller{seed: seed, copies: map[reflect.Type]int{}, nesting: map[reflect.Type]int{}}
}

var (
	aTime       = reflect.TypeFor[time.Time]()
	aRawJSON    = reflect.TypeFor[json.RawMessage]()
	anAny       = reflect.TypeFor[any]()
	anAppError  = reflect.TypeFor[*contract.AppError]()
	anErrorText = reflect.TypeFor[*contract.ErrorString]()
	anyMap      = reflect.TypeFor[map[string]any]()
	attachment  = reflect.TypeFor[contract.MessageAttachment]()
)

var commandArguments = []reflect.Type{
	reflect.TypeFor[contract.AutocompleteTextArg](),
	reflect.TypeFor[contract.AutocompleteStaticListArg](),
	reflect.TypeFor[contract.AutocompleteDynamicListArg](),
}

// fill sets a value that is not part of another.
func (f *structFiller) fill(v reflect.Value) {
	f.value(v, v.Type().Name()+fmt.Sprintf("#%d", f.seed), int64(f.seed)*1_000_000)
}

func (f *structFiller) fillFields(v reflect.Value) {
	type_ := v.Type()
	f.nesting[type_]++
	defer func() { f.nesting[type_]-- }()
	f.structs++
	f.copies[type_]++
	suffix := fmt.Sprintf("#%d", f.seed)
	if f.copies[type_] > 1 {
		suffix += fmt.Sprintf(".%d", f.copies[type_])
	}
	returns := strings.HasPrefix(type_.Name(), "Z_") && strings.HasSuffix(type_.Name(), "Returns")
	for i := range v.NumField() {
		field := v.Type().Field(i)
		failed := field.Type == anError || field.Type == anAppError
		if f.tooDeep(field.Type) || returns && failed && !f.errors {
			continue
		}
		// The last digit is for elements, those before it are the field's.
		number := int64(f.seed)*1_000_000 + int64(f.structs)*1000 + int64(i+1)*10
		f.value(v.Field(i), type_.Name()+"."+field.Name+suffix, number)
	}
}

func (f *structFiller) tooDeep(type_ reflect.Type) bool {
	for type_.Kind() == reflect.Pointer || type_.Kind() == reflect.Slice || type_.Kind() == reflect.Map {
		type_ = type_.Elem()
	}
	return f.nesting[type_] >= maxNesting
}

func (f *structFiller) value(v reflect.Value, text string, number int64) {
	switch v.Type() {
	case aTime:
		if !f.zeros {
			// The minutes of a zone are on the wire as well.
			zone := time.FixedZone("", int(number%24-12)*30*60)
			v.Set(reflect.ValueOf(time.Unix(1_000_000_000+number, number*1000).In(zone)))
		}
		return
	case aRawJSON:
		if !f.zeros {
			v.SetBytes(fmt.Appendf(nil, `{"text":%q}`, text))
		}
		return
	case anError:
		if f.seed%2 == 0 {
			v.Set(reflect.New(anAppError.Elem()))
		} else {
			v.Set(reflect.New(anErrorText.Elem()))
		}
		f.value(v.Elem().Elem(), text, number)
		return
	case anAny:
		f.kinds++
		if strings.HasPrefix(text, "AutocompleteArg.Data#") {
			// One of three, which Mattermost tells apart by their types.
			v.Set(reflect.New(commandArguments[f.kinds%len(commandArguments)]))
			f.value(v.Elem().Elem(), text, number)
			return
		}
		all := f.everyKind(text)
		v.Set(reflect.ValueOf(all[pick(all, f.kinds)]))
		return
	}
	switch kind := v.Kind(); kind {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.value(v.Elem(), text, number)
	case reflect.Struct:
		f.fillFields(v)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if !f.zeros {
				v.SetBytes([]byte("bytes " + text + "\x00\xff"))
			}
			return
		}
		for e := range 2 {
			f.value(v.Index(e), element(text, e), number+int64(e))
		}
	case reflect.Map:
		if v.Type().ConvertibleTo(anyMap) {
			v.Set(reflect.ValueOf(f.everyKind(text)).Convert(v.Type()))
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for e := range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			key.SetString(element(text, e) + ".key")
			f.value(value, element(text, e), number+int64(e))
			v.SetMapIndex(key, value)
		}
	default:
		if !f.zeros {
			setBasic(v, text, number)
		}
	}
}

func setBasic(v reflect.Value, text string, number int64) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1<<33 + number) // cut to 32 bits it is another number
	case reflect.Uint8:
		v.SetUint(uint64(number%250 + 1))
	case reflect.Uint32:
		v.SetUint(uint64(uint32(number)))
	case reflect.Uint:
		v.SetUint(1<<33 + uint64(number))
	case reflect.Float64:
		v.SetFloat(float64(number) + 0.5)
	default:
		panic(fmt.Sprintf("fill makes no %s", v.Type()))
	}
}

func element(text string, e int) string {
	name, suffix, _ := strings.Cut(text, "#")
	return fmt.Sprintf("%s[%d]#%s", name, e, suffix)
}

// everyKind has one value of every kind that may be in an interface and in JSON.
func (f *structFiller) everyKind(text string) map[string]any {
	all := map[string]any{
		"text": text, "empty": "", "yes": true, "no": false, "nothing": nil,
		"int": 7, "minus": -1, "zero": 0, "max_int64": int64(math.MaxInt64), "min_int64": int64(math.MinInt64),
		"int8": int8(math.MinInt8), "int16": int16(math.MaxInt16), "int32": int32(math.MinInt32),
		"uint": uint(1 << 40), "uint8": uint8(math.MaxUint8), "uint16": uint16(math.MaxUint16),
		"uint32": uint32(math.MaxUint32), "max_uint64": uint64(math.MaxUint64),
		"fraction": 1.5, "whole": 3.0, "float32": float32(0.25), "max_float": math.MaxFloat64, "tiny": -math.SmallestNonzeroFloat64,
		"bytes": []byte{0, 1, 0xff}, "strings": []string{"a", ""}, "ints": []int{1, -2}, "floats": []float64{0, 2.5}, "bools": []bool{true, false},
		"list":      []any{1, "two", 3.5, nil, []any{true}, map[string]any{"four": int64(4)}},
		"empty_map": map[string]any{}, // an empty list would arrive as null in Go
		"nested":    map[string]any{"a": map[string]any{"b": []any{map[string]any{"c": text}}}, "strings": []string{"x"}},
	}
	if f.nesting[attachment] == 0 {
		attachments := make([]*contract.MessageAttachment, 2)
		for e := range attachments {
			attachments[e] = &contract.MessageAttachment{}
			f.fillFields(reflect.ValueOf(attachments[e]).Elem())
		}
		all["attachments"] = attachments
	}
	return all
}

// pick gives the name of one of the values that are not nil.
func pick(all map[string]any, number int) string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(all)), func(name string) bool { return all[name] == nil })
	return names[number%len(names)]
}
