// One line for each URL: its status and the first line of its body, or why there is none.
package main

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	client := http.Client{Timeout: 5 * time.Second}
	for _, url := range os.Args[1:] {
		response, err := client.Get(url)
		if err != nil {
			fmt.Println("failed:", err)
			continue
		}
		line, _ := bufio.NewReader(response.Body).ReadString('\n')
		response.Body.Close()
		fmt.Println(response.StatusCode, strings.TrimSuffix(line, "\n"))
	}
}
