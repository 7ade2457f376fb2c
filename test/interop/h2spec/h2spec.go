// Runs h2spec on this machine, all its cases, also those it calls strict: "h2spec server PORT" against the server at that
// port; "h2spec client PORT FIRST" against a client, for which it listens from the port FIRST on. A client is asked
// for by "h2spec ask PORT URL", which h2spec runs: it says the URL to whoever listens at PORT, and waits until that has been asked.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"
)

func main() {
	settings := &config.Config{
		Host:         "127.0.0.1",
		Path:         "/",
		Timeout:      2 * time.Second,
		MaxHeaderLen: 4000,
		Strict:       true,
	}
	switch os.Args[1] {
	case "server":
		settings.Port = number(os.Args[2])
		_, err := h2spec.Run(settings)
		check(err)
	case "client":
		settings.Exec = os.Args[0] + " ask " + os.Args[2]
		settings.FromPort = number(os.Args[3])
		check(h2spec.RunClientSpec(settings))
	case "ask":
		ask(os.Args[2], os.Args[3])
	}
}

func ask(port string, url string) {
	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	check(err)
	_, err = fmt.Fprintln(connection, url)
	check(err)
	_, _ = io.Copy(io.Discard, connection)
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
