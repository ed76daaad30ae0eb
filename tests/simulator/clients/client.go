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

func patience() time.Duration {
	limit, _ := time.ParseDuration(os.Args[2] + "s")
	return limit
}

func main() {
	client := &http.Client{Timeout: patience(), Transport: &http.Transport{DisableKeepAlives: true}}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		answer, err := client.Post(lines.Text(), "application/json", strings.NewReader(os.Args[1]))
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
