package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

func main() {
	transport := &http.Transport{DisableKeepAlives: true}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		url, seconds, _ := strings.Cut(lines.Text(), " ")
		limit, _ := time.ParseDuration(seconds + "s")
		client := &http.Client{Timeout: limit, Transport: transport}
		answer, err := client.Post(url, "application/json", strings.NewReader(os.Args[1]))
		if err != nil {
			fmt.Println("error", err)
			continue
		}
		body, err := io.ReadAll(io.LimitReader(answer.Body, 1000000))
		answer.Body.Close()
		if err != nil {
			fmt.Println("error in body", err)
		} else {
			fmt.Println("ok", answer.StatusCode, len(body))
		}
	}
}
