// Package contract has the values that go over net/rpc, as Mattermost's own
// plugin package declares them, and tables of the calls.
package contract

import "reflect"

// Call is a hook or an API method: what is sent and what is answered.
type Call struct {
	Name          string
	Args, Returns reflect.Type
}

func (e *AppError) Error() string { return e.Where + ": " + e.Message }

func (e *ErrorString) Error() string { return e.Err }
