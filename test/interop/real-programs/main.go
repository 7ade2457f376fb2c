// What talks through the sidecars in the tests of real programs, on stacks that none of us wrote: Go's net/http, gRPC,
// a WebSocket library. Servers listen where HOST and PORT say; clients print what they saw, for the test to judge.
package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

var roles = map[string]func(arguments []string) error{
	"serve-web":  func([]string) error { return serveWeb() },
	"serve-grpc": func([]string) error { return serveGrpc() },
	"serve-chat": func([]string) error { return serveChat() },
	"noise":      writeNoise,
	"grpc":       callGrpc,
	"chat":       joinChat,
	"crowd":      gatherCrowd,
}

func main() {
	if len(os.Args) < 2 || roles[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "no such role")
		os.Exit(2)
	}
	if err := roles[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Listens where the mesh says that this port of the pod is.
func listen(variable string) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(os.Getenv("HOST"), os.Getenv(variable)))
}

// Where the mesh says that a port of a service is: `address:port`.
func serviceAddress(service string, port string) string {
	return net.JoinHostPort(os.Getenv(service+"_SERVICE_HOST"), os.Getenv(service+"_SERVICE_PORT"+port))
}

func octets(text string) (int64, error) {
	return strconv.ParseInt(text, 10, 64)
}
