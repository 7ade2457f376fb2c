// Open Policy Agent with its plugin for Envoy, as its own project puts them together: "opa run --server ..." answers questions
// by envoy.service.auth.v3 where plugins.envoy_ext_authz_grpc is set, and all other commands are OPA's.
package main

import (
	"fmt"
	"os"

	"github.com/open-policy-agent/opa-envoy-plugin/plugin"
	"github.com/open-policy-agent/opa/cmd"
	"github.com/open-policy-agent/opa/v1/runtime"
)

func main() {
	runtime.RegisterPlugin("envoy.ext_authz.grpc", plugin.Factory{})
	runtime.RegisterPlugin(plugin.PluginName, plugin.Factory{})
	if err := cmd.RootCommand.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
