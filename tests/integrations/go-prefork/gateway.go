package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const callLimit = 25 * time.Second // for the whole call, the last byte of the answer included

// Gateway speaks the payment API. Each process has one: a token, and a pool of connections that stay open.
type Gateway struct {
	base, id, secret string
	client           *http.Client
	log              *Log

	mu    sync.Mutex // held while renewing: whoever comes meanwhile waits and uses the new token
	token string
	until time.Time

	pauseMu sync.Mutex
	pause   time.Time // until then the gateway wants to be left alone

	retryWith func(old, fresh string) string                     // the token of the second attempt after a 401
	sent      func(request *http.Request)                        // for the log
	decode    func(raw []byte) (kind string, data Data, ok bool) // the envelope
	refused   func(status int)                                   // the credentials were refused
}

// Data is the inner object of an answer.
type Data map[string]json.RawMessage

// Text is a field as text: a JSON string's value, or a number as it is written.
func (d Data) Text(name string) string {
	var text string
	if json.Unmarshal(d[name], &text) == nil {
		return text
	}
	return string(d[name])
}

func NewGateway(base, id, secret string, log *Log) *Gateway {
	pool := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     20 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
	}
	client := &http.Client{
		Transport:     pool,
		Timeout:       callLimit,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &Gateway{
		base: strings.TrimRight(base, "/"), id: id, secret: secret, client: client, log: log,
		retryWith: func(_, fresh string) string { return fresh },
		sent:      func(*http.Request) {},
		decode:    decode,
		refused:   func(int) {},
	}
}

func decode(raw []byte) (string, Data, bool) {
	var envelope struct {
		Type string
		Data json.RawMessage
	}
	var data Data
	if json.Unmarshal(raw, &envelope) != nil || json.Unmarshal(envelope.Data, &data) != nil || data == nil {
		return "", nil, false
	}
	return envelope.Type, data, true
}

// send makes one request and reads the whole answer.
func (g *Gateway) send(method, path, token string, body any) (int, []byte, error) {
	g.pauseMu.Lock()
	wait := time.Until(g.pause)
	g.pauseMu.Unlock()
	if wait > 0 {
		return 0, nil, errors.New("the gateway asked us to wait")
	}
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, nil, err
		}
		content = bytes.NewReader(raw)
	}
	request, err := http.NewRequest(method, g.base+path, content)
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Accept", "application/json")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	g.sent(request)
	response, err := g.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return 0, nil, err
	}
	if response.StatusCode == http.StatusTooManyRequests {
		g.restFor(response.Header.Get("Retry-After"))
	}
	return response.StatusCode, raw, nil
}

func (g *Gateway) restFor(retryAfter string) {
	seconds, err := strconv.Atoi(retryAfter)
	if err != nil || seconds < 1 || seconds > 600 {
		seconds = 5
	}
	g.pauseMu.Lock()
	g.pause = time.Now().Add(time.Duration(seconds) * time.Second)
	g.pauseMu.Unlock()
}

// bearer returns a token that is not the stale one, asking for a new one when it must.
func (g *Gateway) bearer(stale string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token != "" && g.token != stale && time.Now().Before(g.until) {
		return g.token, nil
	}
	g.token = ""
	status, raw, err := g.send("POST", "/authentication/token", "", map[string]string{"client_id": g.id, "secret_id": g.secret})
	if err != nil {
		return "", err
	}
	if status >= 400 && status < 500 && status != http.StatusTooManyRequests {
		g.refused(status)
	}
	kind, data, ok := decode(raw)
	token := data.Text("access_token")
	if status != http.StatusOK || !ok || kind != "success" || token == "" {
		return "", fmt.Errorf("no access token: status %d", status)
	}
	life, err := strconv.Atoi(data.Text("expire_time"))
	if err != nil || life < 60 {
		life = 60
	}
	g.token, g.until = token, time.Now().Add(time.Duration(life-30)*time.Second)
	g.log.Info("access token renewed", "life", life)
	return token, nil
}

// call authenticates, sends, and after a 401 renews the token and sends once more.
func (g *Gateway) call(method, path string, body any) (Data, error) {
	token, err := g.bearer("")
	if err != nil {
		return nil, err
	}
	status, raw, err := g.send(method, path, token, body)
	if err == nil && status == http.StatusUnauthorized {
		fresh, renewal := g.bearer(token)
		if renewal != nil {
			return nil, renewal
		}
		status, raw, err = g.send(method, path, g.retryWith(token, fresh), body)
	}
	if err != nil {
		return nil, err
	}
	g.log.Info("gateway answered", "call", method+" "+path, "status", status, "body", string(raw))
	if status != http.StatusOK {
		return nil, fmt.Errorf("status %d", status)
	}
	kind, data, ok := g.decode(raw)
	if !ok || kind != "success" {
		return nil, errors.New("not a success envelope")
	}
	return data, nil
}

// Create opens a payment.
func (g *Gateway) Create(amount, currency, returnURL, cancelURL, custom string) (token, payURL string, err error) {
	g.log.Info("opening a payment", "order", custom, "amount", amount, "currency", currency)
	data, err := g.call("POST", "/payment/create", map[string]string{
		"amount": amount, "currency": currency, "return_url": returnURL, "cancel_url": cancelURL, "custom": custom,
	})
	if err != nil {
		return "", "", err
	}
	token, payURL = data.Text("token"), data.Text("payment_url")
	if token == "" || !strings.HasPrefix(payURL, "https://") && !strings.HasPrefix(g.base, "http://") {
		return "", "", errors.New("the answer names no payment")
	}
	return token, payURL, nil
}

// Status asks about a payment. The answer must be about this payment.
func (g *Gateway) Status(token string) (Data, error) {
	data, err := g.call("GET", "/payment/status/"+url.PathEscape(token), nil)
	if err != nil {
		return nil, err
	}
	if data.Text("token") != token {
		return nil, errors.New("the answer is about another payment")
	}
	return data, nil
}
