// Command goplugin is a Mattermost plugin in Go that speaks net/rpc, for the
// benchmarks to compare with.
package main

import (
	"net/rpc"

	"github.com/hashicorp/go-plugin"

	"gohost/contract"
)

type hooks struct {
	broker      *plugin.MuxBroker
	api, driver *rpc.Client
}

func (h *hooks) Server(broker *plugin.MuxBroker) (any, error) { return &hooks{broker: broker}, nil }

func (h *hooks) Client(*plugin.MuxBroker, *rpc.Client) (any, error) { panic("this is the plugin") }

func (h *hooks) Implemented(_ struct{}, reply *[]string) error {
	*reply = []string{"OnActivate", "OnDeactivate", "MessageWillBePosted", "UserWillLogIn"}
	return nil
}

func (h *hooks) OnActivate(args *contract.Z_OnActivateArgs, _ *contract.Z_OnActivateReturns) error {
	conn, err := h.broker.Dial(args.APIMuxId)
	if err != nil {
		return err
	}
	h.api = rpc.NewClient(conn)
	if conn, err = h.broker.Dial(args.DriverMuxId); err != nil {
		return err
	}
	h.driver = rpc.NewClient(conn)
	// A plugin reads its settings first.
	return h.api.Call("Plugin.LoadPluginConfiguration",
		&contract.Z_LoadPluginConfigurationArgs{}, &contract.Z_LoadPluginConfigurationReturns{})
}

func (h *hooks) OnDeactivate(*contract.Z_OnDeactivateArgs, *contract.Z_OnDeactivateReturns) error {
	return nil
}

func (h *hooks) MessageWillBePosted(args *contract.Z_MessageWillBePostedArgs, returns *contract.Z_MessageWillBePostedReturns) error {
	args.B.Message += "!"
	returns.A = args.B
	return nil
}

// UserWillLogIn asks the server for the user, and answers with the name.
func (h *hooks) UserWillLogIn(args *contract.Z_UserWillLogInArgs, returns *contract.Z_UserWillLogInReturns) error {
	var found contract.Z_GetUserReturns
	if err := h.api.Call("Plugin.GetUser", &contract.Z_GetUserArgs{A: args.B.Id}, &found); err != nil {
		return err
	}
	if found.B != nil {
		return found.B
	}
	returns.A = found.A.Username
	return nil
}

func main() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: plugin.HandshakeConfig{
			ProtocolVersion:  1,
			MagicCookieKey:   "MATTERMOST_PLUGIN",
			MagicCookieValue: "Securely message teams, anywhere.",
		},
		Plugins: plugin.PluginSet{"hooks": &hooks{}},
	})
}
