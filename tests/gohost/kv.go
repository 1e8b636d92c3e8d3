package main

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"

	"gohost/contract"
)

// kvStore is the key-value store of one plugin, as a server has it.
type kvStore struct {
	mu      sync.Mutex
	entries map[string]kvEntry
}

type kvEntry struct {
	value   []byte
	expires time.Time // zero: never
}

func newKVStore() *kvStore { return &kvStore{entries: map[string]kvEntry{}} }

const longestKey = 150 // runes

func (e kvEntry) expired() bool { return !e.expires.IsZero() && !time.Now().Before(e.expires) }

// read is for callers that hold the lock.
func (s *kvStore) read(key string) []byte {
	if entry := s.entries[key]; !entry.expired() {
		return entry.value
	}
	return nil
}

func (s *kvStore) get(key string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(key)
}

// write sets a value, or deletes it when it is empty: on the wires that is the
// same as none. It tells whether it did so.
func (s *kvStore) write(key string, value []byte, how contract.PluginKVSetOptions) (bool, *contract.AppError) {
	if length := utf8.RuneCountInString(key); length == 0 || length > longestKey {
		return false, badRequest("model.plugin_key_value.is_valid.key.app_error")
	}
	if !how.Atomic && len(how.OldValue) > 0 {
		return false, badRequest("model.plugin_kvset_options.is_valid.old_value.app_error")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if how.Atomic {
		old := s.read(key)
		if !bytes.Equal(old, how.OldValue) || len(old)+len(value) == 0 {
			return false, nil
		}
	}
	if len(value) == 0 {
		delete(s.entries, key)
		return true, nil
	}
	entry := kvEntry{value: value}
	if how.ExpireInSeconds != 0 {
		entry.expires = time.Now().Add(time.Duration(how.ExpireInSeconds) * time.Second)
	}
	s.entries[key] = entry
	return true, nil
}

func (s *kvStore) compareAndSet(key string, old, value []byte) (bool, *contract.AppError) {
	return s.write(key, value, contract.PluginKVSetOptions{Atomic: true, OldValue: old})
}

func (s *kvStore) remove(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.entries, key)
}

func (s *kvStore) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.entries)
}

func (s *kvStore) list(page, perPage int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if perPage <= 0 {
		perPage = 10
	}
	keys := slices.Sorted(maps.Keys(s.entries))
	keys = slices.DeleteFunc(keys, func(key string) bool { return s.entries[key].expired() })
	first := min(max(page, 0)*perPage, len(keys))
	return keys[first:min(first+perPage, len(keys))]
}

func badRequest(id string) *contract.AppError {
	return &contract.AppError{Id: id, Message: id, Where: "PluginKeyValue", StatusCode: http.StatusBadRequest}
}

// overNetRPC gives what a method returns; nil if it is not one of the store's, or
// there is no store.
func (s *kvStore) overNetRPC(args any) any {
	if s == nil {
		return nil
	}
	switch a := args.(type) {
	case *contract.Z_KVGetArgs:
		return &contract.Z_KVGetReturns{A: s.get(a.A)}
	case *contract.Z_KVSetArgs:
		_, err := s.write(a.A, a.B, contract.PluginKVSetOptions{})
		return &contract.Z_KVSetReturns{A: err}
	case *contract.Z_KVSetWithExpiryArgs:
		_, err := s.write(a.A, a.B, contract.PluginKVSetOptions{ExpireInSeconds: a.C})
		return &contract.Z_KVSetWithExpiryReturns{A: err}
	case *contract.Z_KVSetWithOptionsArgs:
		done, err := s.write(a.A, a.B, a.C)
		return &contract.Z_KVSetWithOptionsReturns{A: done, B: err}
	case *contract.Z_KVCompareAndSetArgs:
		done, err := s.compareAndSet(a.A, a.B, a.C)
		return &contract.Z_KVCompareAndSetReturns{A: done, B: err}
	case *contract.Z_KVCompareAndDeleteArgs:
		done, err := s.compareAndSet(a.A, a.B, nil)
		return &contract.Z_KVCompareAndDeleteReturns{A: done, B: err}
	case *contract.Z_KVDeleteArgs:
		s.remove(a.A)
		return &contract.Z_KVDeleteReturns{}
	case *contract.Z_KVDeleteAllArgs:
		s.clear()
		return &contract.Z_KVDeleteAllReturns{}
	case *contract.Z_KVListArgs:
		return &contract.Z_KVListReturns{A: s.list(a.A, a.B)}
	}
	return nil
}

// overGRPC sets what a method answers, and tells whether it is one of the store's.
func (s *kvStore) overGRPC(method string, request, response protoreflect.Message) (bool, *contract.AppError) {
	if s == nil {
		return false, nil
	}
	get := func(m protoreflect.Message, name protoreflect.Name) protoreflect.Value { return m.Get(field(m, name)) }
	text := func(name protoreflect.Name) string { return get(request, name).String() }
	data := func(name protoreflect.Name) []byte { return get(request, name).Bytes() }
	number := func(name protoreflect.Name) int64 { return get(request, name).Int() }
	did := func(done bool, err *contract.AppError) (bool, *contract.AppError) {
		response.Set(field(response, "success"), protoreflect.ValueOfBool(done))
		return true, err
	}
	switch method {
	case "KVGet":
		response.Set(field(response, "value"), protoreflect.ValueOfBytes(s.get(text("key"))))
	case "KVSet":
		_, err := s.write(text("key"), data("value"), contract.PluginKVSetOptions{})
		return true, err
	case "KVSetWithExpiry":
		how := contract.PluginKVSetOptions{ExpireInSeconds: number("expire_in_seconds")}
		_, err := s.write(text("key"), data("value"), how)
		return true, err
	case "KVSetWithOptions":
		options := get(request, "options").Message()
		return did(s.write(text("key"), data("value"), contract.PluginKVSetOptions{
			Atomic:          get(options, "atomic").Bool(),
			OldValue:        get(options, "old_value").Bytes(),
			ExpireInSeconds: get(options, "expire_in_seconds").Int(),
		}))
	case "KVCompareAndSet":
		return did(s.compareAndSet(text("key"), data("old_value"), data("new_value")))
	case "KVCompareAndDelete":
		return did(s.compareAndSet(text("key"), data("old_value"), nil))
	case "KVDelete":
		s.remove(text("key"))
	case "KVDeleteAll":
		s.clear()
	case "KVList":
		keys := response.Mutable(field(response, "keys")).List()
		for _, key := range s.list(int(number("page")), int(number("per_page"))) {
			keys.Append(protoreflect.ValueOfString(key))
		}
	default:
		return false, nil
	}
	return true, nil
}
