// SPDX-License-Identifier: Apache-2.0

// An HTTP server in Go: "/" greets, "/env" shows the environment's GREETING, "/quit" answers and ends with status 0.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello from go") })
	http.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, os.Getenv("GREETING")) })
	http.HandleFunc("/work", func(w http.ResponseWriter, r *http.Request) {
		results := make(chan int)
		for i := 0; i < 8; i++ {
			go func(i int) {
				time.Sleep(time.Duration(i) * time.Millisecond)
				results <- i * i
			}(i)
		}
		sum := 0
		for i := 0; i < 8; i++ {
			sum += <-results
		}
		runtime.GC()
		fmt.Fprintln(w, "sum", sum)
	})
	http.HandleFunc("/quit", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "bye")
		go func() {
			time.Sleep(100 * time.Millisecond)
			os.Exit(0)
		}()
	})
	port := "8080"
	if len(os.Args) > 1 {
		port = os.Args[1]
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening")
	fmt.Fprintln(os.Stderr, http.Serve(listener, nil))
	os.Exit(1)
}
