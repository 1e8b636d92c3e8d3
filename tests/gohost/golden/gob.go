package main

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"

	"gohost/contract"
)

type gobCase struct {
	Name  string `json:"name"`
	Hex   string `json:"hex"`
	Value any    `json:"value"`
	Go    any    `json:"go"`
	// Many: hex is one stream of several values, and so are value and go.
	Many bool `json:"many,omitempty"`
}

type (
	point  struct{ X, Y int }
	Inner  struct{ Name string }
	nested struct {
		Point point
		Inner *Inner
		List  []point
		Map   map[string]point
	}
	list struct {
		Value int
		Next  *list
	}
	tree struct {
		Value       string
		Left, Right *tree
		More        []tree
		Named       map[string]*tree
	}
	pointers struct {
		One   *int
		Two   **int
		Three ***string
		None  *int
		Flag  *bool
	}
	held     struct{ V any }
	heldMore struct {
		Before int
		First  any
		Middle string
		Second any
		After  int
	}
	failing  struct{ A error }
	Base     struct{ Id, Name string }
	embedded struct {
		Base
		*Inner
		Own string
	}
	mixed struct {
		Shown   int
		hidden  int
		Channel chan int
		Func    func()
		Last    string
	}
	basics struct {
		Bool    bool
		Int     int
		Int8    int8
		Uint    uint
		Uint8   uint8
		Float   float64
		Complex complex128
		String  string
		Bytes   []byte
		Array   [2]int
		Strings []string
		Map     map[string]int
		Byte4   [4]byte
	}
	empty    struct{}
	hasEmpty struct {
		E empty
		N int
	}
	opaque struct {
		Time    time.Time
		Pointer *time.Time
		Zero    time.Time
		URL     *url.URL
		Int     *big.Int
		IP      net.IP
		Addr    netip.Addr
		Times   []time.Time
		After   int
	}
	named      string
	scores     map[string]int
	registered struct{ N int }
	// texted can be turned into text, which gob does not look at.
	texted struct{ A int }
	// doubled encodes itself.
	doubled struct{ n byte }
	holder  struct {
		D doubled
		P *doubled
		N int
	}
)

func (texted) MarshalText() ([]byte, error)    { return []byte("text"), nil }
func (d doubled) GobEncode() ([]byte, error)   { return []byte{d.n, d.n}, nil }
func (d *doubled) GobDecode(data []byte) error { d.n = data[0]; return nil }
func (d doubled) String() string               { return fmt.Sprint(d.n) }

func init() {
	gob.RegisterName("golden.registered", registered{})
	gob.RegisterName("*golden.point", &point{})
	gob.RegisterName("golden.named", named(""))
	gob.RegisterName("golden.time", time.Time{})
}

type cases []gobCase

// add encodes values to one stream. Go walks a map in any order: the smallest of
// many encodings is always the same.
func (c *cases) add(name string, values ...any) {
	var best []byte
	for range 300 {
		var out bytes.Buffer
		encoder := gob.NewEncoder(&out)
		for _, value := range values {
			if err := encoder.Encode(value); err != nil {
				panic(fmt.Sprintf("%s: %s", name, err))
			}
		}
		if best == nil || bytes.Compare(out.Bytes(), best) < 0 {
			best = bytes.Clone(out.Bytes())
		}
	}
	var described, types []any
	for _, value := range values {
		described = append(described, describe(reflect.ValueOf(value)))
		types = append(types, typeName(value))
	}
	one := gobCase{name, hex.EncodeToString(best), described, types, true}
	if len(values) == 1 {
		one.Value, one.Go, one.Many = described[0], types[0], false
	}
	*c = append(*c, one)
}

// each adds a case for every value.
func each[T any](c *cases, values ...T) {
	for _, value := range values {
		c.add(typeName(value)+" "+brief(value), value)
	}
}

func pointer[T any](value T) *T { return &value }

func gobCases() cases {
	c := &cases{}
	each(c, false, true)
	each[int](c, 0, 1, -1, 2, 63, 64, -64, -65, 127, 128, 255, 256, -256, 65535, 1<<31, math.MaxInt, math.MinInt)
	each[int8](c, 0, 1, -1, math.MaxInt8, math.MinInt8)
	each[int16](c, 300, math.MaxInt16, math.MinInt16)
	each[int32](c, 70000, math.MaxInt32, math.MinInt32)
	each[int64](c, 1<<40, math.MaxInt64, math.MinInt64)
	each[uint](c, 0, 1, 127, 128, 255, 256, 65536, 1<<56, math.MaxUint)
	each[uint8](c, 0, 7, 127, 128, math.MaxUint8)
	each[uint16](c, math.MaxUint16)
	each[uint32](c, math.MaxUint32)
	each[uint64](c, 1<<63, math.MaxUint64)
	each[uintptr](c, 4096)
	each[float64](c, 0, 1, -1, 1.5, 17, 0.1, 1e100, -1e-100, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1))
	each[float32](c, 0, 0.25, 0.1, math.MaxFloat32, float32(math.Inf(-1)))
	each[complex128](c, 0, 1+2i, complex(0, -1.5))
	each[complex64](c, 3-4i)
	each(c, "", "a", "hello, world", "žluťoučký 🐎", "nul \x00 inside", "not UTF-8 \xff\xfe", strings.Repeat("x", 127),
		strings.Repeat("y", 128), strings.Repeat("z", 300))
	each(c, []byte{}, []byte{0}, []byte{1, 2, 0xff}, bytes.Repeat([]byte{0xaa}, 200))
	each[named](c, "a type of its own")

	each(c, []int{}, []int{1, -2, 0, 1 << 40})
	each(c, []string{"a", "", "c"})
	each(c, []bool{true, false})
	each(c, []float64{0, 1.5, math.Inf(1)})
	each(c, [][]int{{1}, {}, {2, 3}})
	each(c, [][]byte{{1}, {}})
	each(c, [3]int{1, 0, 3}, [3]int{})
	each(c, [2]string{"", "b"})
	each(c, [4]byte{1, 2, 3, 4})
	each(c, []point{{1, 2}, {}, {0, 3}})
	each(c, []*point{{1, 2}, {}})
	each(c, map[string]int{}, map[string]int{"a": 1, "b": 0})
	each(c, map[int]string{-1: "minus", 7: ""})
	each(c, map[string]map[string]int{"a": {"b": 1}, "c": {}})
	each(c, map[string][]byte{"k": {1}})
	each(c, map[bool]point{true: {1, 0}, false: {}})
	each(c, scores{"x": 3})
	c.add("no strings at all", []string(nil))
	c.add("a map that is nil", map[string]int(nil))

	c.add("struct", point{1, -2})
	c.add("struct of zeros", point{})
	c.add("pointer to a struct", &point{3, 0})
	c.add("last field only", point{0, 5})
	c.add("every basic type in a struct", basics{true, -1, -8, 1, 255, 1.5, 2i, "s", []byte{1}, [2]int{0, 1}, []string{""}, map[string]int{"k": 0}, [4]byte{9}})
	c.add("every basic type, all zero", basics{})
	c.add("empty list and map in a struct", basics{Strings: []string{}, Map: map[string]int{}, Bytes: []byte{}})
	c.add("structs in a struct", nested{point{1, 0}, &Inner{"in"}, []point{{}, {1, 1}}, map[string]point{"p": {2, 3}}})
	c.add("structs in a struct, inner ones zero", nested{Inner: &Inner{}, List: []point{{}}, Map: map[string]point{"p": {}}})
	c.add("struct without fields", empty{})
	c.add("struct without fields or name", struct{}{})
	c.add("struct without fields in a struct", hasEmpty{N: 1})
	c.add("struct without a name", struct{ A, B string }{"a", "b"})
	c.add("fields that gob leaves out", mixed{Shown: 1, hidden: 2, Last: "last"})
	c.add("embedded structs", embedded{Base{"id", "name"}, &Inner{"inner"}, "own"})
	c.add("embedded pointer that is nil", embedded{Base: Base{Name: "name"}})
	c.add("200 fields, some set", gaps(200, 0, 1, 128, 199))
	c.add("200 fields, the last set", gaps(200, 199))
	c.add("200 fields, all set", gaps(200, count(200)...))

	c.add("list that contains itself", list{1, &list{2, &list{3, nil}}})
	c.add("list of zeros that contains itself", list{0, &list{0, &list{}}})
	c.add("tree", tree{"root", &tree{Value: "left"}, &tree{Value: "right", Left: &tree{}},
		[]tree{{Value: "more"}, {}}, map[string]*tree{"named": {Value: "n"}}})
	c.add("pointers", pointers{pointer(1), pointer(pointer(2)), pointer(pointer(pointer("three"))), nil, pointer(true)})
	c.add("pointers to zeros", pointers{One: pointer(0), Flag: pointer(false)})
	c.add("pointer to a pointer", pointer(pointer(point{1, 2})))
	c.add("pointer to a string", pointer("s"))

	c.add("nothing in an interface", held{nil})
	for _, value := range []any{
		true, false, 7, 0, -1, int8(-8), int16(16), int32(-32), int64(math.MinInt64), uint(1), uint8(8), uint16(16), uint32(32),
		uint64(math.MaxUint64), 1.5, 0.0, float32(0.5), 1 + 2i, complex64(2i), "text", "", []byte{1, 2}, []string{"a", ""}, []int{1},
		[]bool{true}, []float64{0.5}, []any{}, []any{1, nil, "a", []any{2}}, map[string]any{}, map[string]any{"a": nil, "b": 1},
		registered{1}, registered{}, &point{1, 2}, named("n"), time.Unix(1_700_000_000, 5).UTC(),
		&contract.AppError{Id: "id", Message: "message", StatusCode: 400, Where: "here"},
		&contract.ErrorString{Code: 1, Err: "EOF"},
		[]*contract.MessageAttachment{{Text: "text", Fields: []*contract.MessageAttachmentField{{Title: "t", Value: 1.5, Short: true}}}},
	} {
		c.add(fmt.Sprintf("%s in an interface: %s", typeName(value), brief(value)), held{value})
	}
	c.add("error that is nil", failing{nil})
	c.add("error of the server", failing{&contract.AppError{Message: "no"}})
	c.add("error as text", failing{&contract.ErrorString{Err: "no"}})
	c.add("maps in maps, with types that are new on the way", held{map[string]any{
		"map": map[string]any{"list": []any{map[string]any{"deep": registered{3}}, 1.5}},
	}})
	c.add("values around new types in a list", held{[]any{1, registered{1}, "two", &point{3, 3}, registered{4}, 5}})
	c.add("fields around new types", heldMore{1, map[string]any{"a": registered{1}}, "middle", []any{&point{1, 2}}, 2})
	c.add("map of interfaces", map[string]any{"a": 1, "b": "two"})
	c.add("list of interfaces", []any{"a", 1, nil, map[string]any{"k": "v"}})
	c.add("interface of an interface", []any{[]any{[]any{}}})

	zone := time.FixedZone("", 2*60*60)
	c.add("times and others that encode themselves", opaque{
		Time: time.Date(2024, 2, 29, 12, 30, 0, 123456789, time.UTC), Pointer: pointer(time.Date(1969, 7, 20, 20, 17, 40, 0, zone)),
		URL: &url.URL{Scheme: "https", Host: "example.org", Path: "/a b", RawQuery: "q=1"}, Int: big.NewInt(-1 << 40),
		IP: net.IPv4(127, 0, 0, 1).To4(), Addr: netip.MustParseAddr("::1"), Times: []time.Time{{}, time.Unix(1, 0).UTC()}, After: 1,
	})
	c.add("nothing that encodes itself", opaque{After: 1})
	c.add("time on its own", time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	c.add("time in a zone with seconds", time.Date(1900, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600+30)))
	c.add("time without a value", time.Time{})
	c.add("list of times", []time.Time{time.Unix(0, 0).UTC(), {}})
	c.add("big number", new(big.Int).Lsh(big.NewInt(1), 100))
	c.add("URL", &url.URL{Scheme: "http", Host: "h", Path: "/p"})
	c.add("type with a GobEncode of its own", holder{doubled{7}, &doubled{8}, 9})
	c.add("text marshaller, which gob does not ask", texted{1})
	c.add("IP address, bytes to gob", net.ParseIP("10.0.0.1"))

	c.add("several of one type in a stream", point{1, 2}, point{}, &point{3, 4})
	c.add("several types in a stream", 1, "two", point{3, 3}, []int{4}, point{5, 5}, "six")
	c.add("interfaces in a stream", held{registered{1}}, held{registered{2}}, held{1}, held{nil}, held{[]any{&point{1, 1}}})
	c.add("empty structs in a stream", empty{}, point{1, 1}, empty{})
	c.add("post", contract.Post{Id: "id", CreateAt: 1700000000000, Message: "hello", Props: contract.StringInterface{"k": "v"},
		FileIds: contract.StringArray{"f"}, RemoteId: pointer(""), Metadata: &contract.PostMetadata{}})
	return *c
}

// gaps is a struct with many fields, of which some are set.
func gaps(fields int, set ...int) any {
	var declared []reflect.StructField
	for i := range fields {
		declared = append(declared, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[int]()})
	}
	value := reflect.New(reflect.StructOf(declared)).Elem()
	for _, i := range set {
		value.Field(i).SetInt(int64(i) + 1)
	}
	return value.Interface()
}

func count(n int) []int {
	var all []int
	for i := range n {
		all = append(all, i)
	}
	return all
}

// brief is a value's text, cut short, and without the addresses of what it
// points to.
func brief(value any) string {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Pointer {
		return "…"
	}
	text := fmt.Sprint(value)
	if len(text) > 24 {
		return fmt.Sprintf("%.20q… (%d)", text, len(text))
	}
	return fmt.Sprintf("%q", text)
}
