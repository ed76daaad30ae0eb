package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

var errBusy = errors.New("gateway asked us to wait")

type Gateway struct {
	base, id, secret string
	http             *http.Client
	mu               sync.Mutex // guards token, held while renewing: one renewal at a time
	token            string
	until            time.Time
	waitMu           sync.Mutex
	notBefore        time.Time
}

type envelope struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

type Status struct {
	Token, TrxID, Amount, Currency, Custom, Status string
	Paid                                           bool
}

func NewGateway(base, id, secret string) *Gateway {
	return &Gateway{base: base, id: id, secret: secret, http: &http.Client{Timeout: 28 * time.Second}}
}

func (g *Gateway) bearer(ctx context.Context, stale string) (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.token != "" && g.token != stale && time.Now().Before(g.until) {
		return g.token, nil
	}
	g.token = ""
	body, _ := json.Marshal(map[string]string{"client_id": g.id, "secret_id": g.secret})
	code, raw, err := g.send(ctx, "POST", "/authentication/token", "", body)
	if err != nil {
		return "", err
	}
	var env envelope
	var d struct {
		AccessToken string `json:"access_token"`
		ExpireTime  int    `json:"expire_time"`
	}
	if code != 200 || json.Unmarshal(raw, &env) != nil || env.Type != "success" || json.Unmarshal(env.Data, &d) != nil || d.AccessToken == "" {
		return "", fmt.Errorf("token request refused with %d", code)
	}
	if d.ExpireTime < 60 {
		d.ExpireTime = 60
	}
	logj("INFO", "gateway token renewed", "life_s", d.ExpireTime)
	g.token, g.until = d.AccessToken, time.Now().Add(time.Duration(d.ExpireTime-30)*time.Second)
	return g.token, nil
}

func (g *Gateway) send(ctx context.Context, method, path, bearer string, body []byte) (int, []byte, error) {
	g.waitMu.Lock()
	wait := time.Until(g.notBefore)
	g.waitMu.Unlock()
	if wait > 0 {
		return 0, nil, errBusy
	}
	req, err := http.NewRequestWithContext(ctx, method, g.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	resp, err := g.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == 429 {
		s, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if err != nil || s < 1 {
			s = 5
		}
		g.waitMu.Lock()
		g.notBefore = time.Now().Add(time.Duration(s)*time.Second + 200*time.Millisecond)
		g.waitMu.Unlock()
		return 429, nil, errBusy
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp.StatusCode, raw, err
}

// call authenticates, sends, and on 401 renews the token and sends once more.
func (g *Gateway) call(method, path string, body []byte) (json.RawMessage, error) {
	ctx := context.Background()
	tok, err := g.bearer(ctx, "")
	if err != nil {
		return nil, err
	}
	code, raw, err := g.send(ctx, method, path, tok, body)
	if err == nil && code == 401 {
		if tok, err = g.bearer(ctx, tok); err != nil {
			return nil, err
		}
		code, raw, err = g.send(ctx, method, path, tok, body)
	}
	if err != nil {
		return nil, err
	}
	logj("INFO", "gateway answered", "method", method, "path", path, "status", code, "body", string(raw))
	var env envelope
	if code != 200 {
		return nil, fmt.Errorf("gateway answered %d", code)
	}
	if err := json.Unmarshal(raw, &env); err != nil {
		return nil, err
	}
	if env.Type != "success" {
		return nil, errors.New("gateway answered without success")
	}
	return env.Data, nil
}

func (g *Gateway) Create(amount, currency, ret, cancel, custom string) (token, url string, err error) {
	body, _ := json.Marshal(map[string]string{"amount": amount, "currency": currency, "return_url": ret, "cancel_url": cancel, "custom": custom})
	logj("INFO", "gateway request", "path", "/payment/create", "order", custom, "amount", amount, "currency", currency)
	raw, err := g.call("POST", "/payment/create", body)
	if err != nil {
		return "", "", err
	}
	var d struct {
		Token      string `json:"token"`
		PaymentURL string `json:"payment_url"`
	}
	if json.Unmarshal(raw, &d) != nil || d.Token == "" || d.PaymentURL == "" {
		return "", "", errors.New("create answer is incomplete")
	}
	return d.Token, d.PaymentURL, nil
}

func (g *Gateway) Check(token string) (*Status, error) {
	logj("INFO", "gateway request", "path", "/payment/status", "payment", token)
	raw, err := g.call("GET", "/payment/status/"+token, nil)
	if err != nil {
		return nil, err
	}
	var d struct {
		Token    string      `json:"token"`
		TrxID    *string     `json:"trx_id"`
		Amount   json.Number `json:"amount"`
		Currency string      `json:"currency"`
		Custom   string      `json:"custom"`
		Status   string      `json:"status"`
		Paid     bool        `json:"paid"`
	}
	if err := json.Unmarshal(raw, &d); err != nil {
		return nil, err
	}
	if d.Token != token {
		return nil, errors.New("status answer is about another payment")
	}
	s := &Status{Token: d.Token, Amount: d.Amount.String(), Currency: d.Currency, Custom: d.Custom, Status: d.Status, Paid: d.Paid}
	if d.TrxID != nil {
		s.TrxID = *d.TrxID
	}
	return s, nil
}
