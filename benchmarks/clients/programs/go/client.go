// The client of Go's standard library.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func connect(mode string) *http.Client {
	if mode == "set" {
		transport := http.DefaultTransport.(*http.Transport).Clone()            // recommended
		transport.DialContext = (&net.Dialer{Timeout: 5 * time.Second}).DialContext // recommended
		return &http.Client{Transport: transport, Timeout: 30 * time.Second}    // recommended
	}
	return http.DefaultClient
}

func call(client *http.Client, method, url, token, body string) (int, int, error) {
	var sent io.Reader
	if body != "" {
		sent = strings.NewReader(body)
	}
	request, err := http.NewRequest(method, url, sent)
	if err != nil {
		return 0, 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	return answer.StatusCode, len(read), err
}

func main() {
	if os.Args[1] == "--version" {
		fmt.Println("net/http, Go " + strings.TrimPrefix(runtime.Version(), "go"))
		return
	}
	url, method, mode, token, body := os.Args[1], os.Args[2], os.Args[3], os.Args[5], os.Args[6]
	calls, _ := strconv.Atoi(os.Args[4])
	client, tell := connect(mode), json.NewEncoder(os.Stdout)
	for made := 0; made < calls; made++ {
		if made > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		began := time.Now()
		status, size, err := call(client, method, url, token, body)
		told := map[string]any{"outcome": "answer", "status": status, "bytes": size, "seconds": time.Since(began).Seconds()}
		if err != nil {
			told["outcome"], told["error"] = "error", err.Error()
		}
		_ = tell.Encode(told)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}
