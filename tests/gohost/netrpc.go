package main

import (
	"errors"
	"net/rpc"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"

	"gohost/contract"
)

// overNetRPC is the wire of every released Mattermost server.
type overNetRPC struct {
	api    *api
	logger hclog.Logger
	// Set at the start.
	broker      *plugin.MuxBroker
	client      *rpc.Client
	implemented []string
}

func newOverNetRPC() *overNetRPC { return &overNetRPC{api: newAPI()} }

func (w *overNetRPC) configure(config *plugin.ClientConfig, c *command) error {
	config.Plugins = plugin.PluginSet{"hooks": w}
	config.AllowedProtocols = []plugin.Protocol{plugin.ProtocolNetRPC}
	config.StartTimeout = 3 * time.Second
	w.logger = config.Logger
	w.api.logger = config.Logger.Named(logName)
	return setAnswers(w, c)
}

func (w *overNetRPC) Server(*plugin.MuxBroker) (any, error) {
	return nil, errors.New("gohost serves no plugin")
}

func (w *overNetRPC) Client(broker *plugin.MuxBroker, client *rpc.Client) (any, error) {
	w.broker, w.client = broker, client
	return client, nil
}

func (w *overNetRPC) connect(protocol plugin.ClientProtocol, c *command) (result, error) {
	if _, err := protocol.Dispense("hooks"); err != nil {
		return nil, err
	}
	if err := w.client.Call("Plugin.Implemented", struct{}{}, &w.implemented); err != nil {
		return nil, err
	}
	return result{"implemented": w.implemented}, nil
}

func (w *overNetRPC) close() {}

// deactivate does as Mattermost does when it stops: ten seconds for the plugin.
func (w *overNetRPC) deactivate() {
	if !slices.Contains(w.implemented, "OnDeactivate") {
		return
	}
	returns := &contract.Z_OnDeactivateReturns{}
	err := w.send("OnDeactivate", &contract.Z_OnDeactivateArgs{}, returns, 10*time.Second)
	if err == nil {
		err = returns.A
	}
	if err != nil && !errors.Is(err, rpc.ErrShutdown) { // the plugin may be gone long since
		w.logger.Error("Plugin failed to deactivate", "error", err)
	}
}

var errLate = errors.New("no answer in time")

// send calls a hook. Mattermost itself has no deadline here; an answer that is
// late is still decoded into returns.
func (w *overNetRPC) send(hook string, args, returns any, timeout time.Duration) error {
	expired := time.NewTimer(timeout)
	defer expired.Stop()
	call := w.client.Go("Plugin."+hook, args, returns, make(chan *rpc.Call, 1))
	select {
	case <-call.Done:
		return call.Error
	case <-expired.C:
		return errLate
	}
}

func (w *overNetRPC) failure(err error, began time.Time) *failure {
	code := "connection"
	var answered rpc.ServerError
	switch {
	case errors.As(err, &answered):
		code = "rpc"
	case errors.Is(err, errLate):
		code = "timeout"
	case strings.HasPrefix(err.Error(), "reading body"):
		code = "response" // after which net/rpc gives the connection up
	}
	return &failure{Code: code, Message: err.Error(), MS: ms(began)}
}

// The replies of these hooks are decoded into the value that was sent.
var merging = []string{"MessageWillBePosted", "ChannelMemberWillBeAdded", "TeamMemberWillBeAdded"}

// netrpcExchange is one call. What the contract does not have is sent with an
// empty struct, and its answer is dropped.
type netrpcExchange struct {
	w             *overNetRPC
	hook          string
	timeout       time.Duration
	args, returns any // pointers
}

func (w *overNetRPC) call(c *command) (any, error) {
	next, err := w.exchanges(c)
	if err != nil {
		return nil, err
	}
	e, began := next(), time.Now()
	if err := e.send(); err != nil {
		return nil, w.failure(err, began)
	}
	took := ms(began)
	reply := e.answer(true)
	reply["ms"] = took
	return reply, nil
}

func (w *overNetRPC) exchanges(c *command) (func() exchange, error) {
	args, returns, err := c.goArgs(contract.Hooks, c.Hook)
	if err != nil {
		return nil, err
	}
	if c.Hook == "Implemented" {
		returns = reflect.TypeFor[[]string]()
	}
	// The arguments are encoded anew for each call, as a server has to.
	return func() exchange { return w.exchange(c, args, returns) }, nil
}

func (w *overNetRPC) exchange(c *command, args reflect.Value, returns reflect.Type) *netrpcExchange {
	e := &netrpcExchange{w, c.Hook, c.timeout(), args.Interface(), reflect.New(returns).Interface()}
	if slices.Contains(merging, c.Hook) {
		original := clone(args.Elem().FieldByName("B"))
		reflect.ValueOf(e.returns).Elem().FieldByName("A").Set(original)
	}
	return e
}

func (e *netrpcExchange) send() error { return e.w.send(e.hook, e.args, e.returns, e.timeout) }

func (e *netrpcExchange) answer(sent bool) result {
	if !sent {
		return result{"reply": nil}
	}
	return described("reply", e.returns)
}
