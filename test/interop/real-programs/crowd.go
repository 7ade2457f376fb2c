package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// So many are opened at a time.
const doors = 32

// Opens N connections to a port of the web, asks on each of them once, and lets all of them idle for some seconds. Then
// asks on a hundred of them, and waits to be ended.
func gatherCrowd(arguments []string) error {
	port := arguments[0]
	count, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	idle, err := time.ParseDuration(arguments[2])
	if err != nil {
		return err
	}
	crowd := make([]net.Conn, count)
	began := time.Now()
	if err := each(count, func(index int) error {
		connection, err := net.Dial("tcp", serviceAddress("WEB", "_"+port))
		if err != nil {
			return err
		}
		crowd[index] = connection
		return ask(connection)
	}); err != nil {
		return err
	}
	fmt.Printf("gathered %d in %d ms\n", count, time.Since(began).Milliseconds())
	time.Sleep(idle)
	if err := askSome(crowd); err != nil {
		return err
	}
	select {}
}

func askSome(crowd []net.Conn) error {
	const some = 100
	asked := 0
	began := time.Now()
	for index := 0; index < len(crowd); index += len(crowd) / some {
		if err := ask(crowd[index]); err != nil {
			return fmt.Errorf("connection %d: %w", index, err)
		}
		asked++
	}
	fmt.Printf("asked %d in %d ms\n", asked, time.Since(began).Milliseconds())
	return nil
}

func ask(connection net.Conn) error {
	_ = connection.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(connection, "GET /hello HTTP/1.1\r\nHost: web\r\n\r\n")
	answer, err := http.ReadResponse(bufio.NewReaderSize(connection, 512), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("answered with %s", answer.Status)
	}
	return nil
}

func each(count int, do func(index int) error) error {
	indexes := make(chan int)
	failures := make(chan error, doors)
	var workers sync.WaitGroup
	for range doors {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for index := range indexes {
				if err := do(index); err != nil {
					failures <- fmt.Errorf("connection %d: %w", index, err)
					return
				}
			}
		}()
	}
	go func() {
		defer close(indexes)
		for index := range count {
			indexes <- index
		}
	}()
	workers.Wait()
	select {
	case err := <-failures:
		return err
	default:
		return nil
	}
}
