package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"log"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"
)

type Payment struct {
	Token, URL string
	Opened     time.Time
	State      string // open, paid, closed
}

type Order struct {
	ID, Cart, Amount, Currency, State, Note string
	Shipments                               int
	Payments                                []*Payment
	opening                                 sync.Mutex
}

var (
	mu     sync.Mutex
	orders = map[string]*Order{}
	carts  = map[string]*Order{}
	gw     *Gateway
	public = os.Getenv("PUBLIC_URL")
	file   = filepath.Join(os.Getenv("DATA_DIR"), "orders.json")
	money  = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,2})?$`)
	page   = template.Must(template.New("p").Parse(`<!doctype html><title>{{.T}}</title><h1>{{.T}}</h1><p>{{.M}}</p>`))
)

func logj(level, msg string, kv ...any) {
	m := map[string]any{"time": time.Now().Format(time.RFC3339Nano), "level": level, "msg": msg}
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i].(string)] = kv[i+1]
	}
	b, _ := json.Marshal(m)
	fmt.Println(string(b))
}

func save() { // mu held
	b, _ := json.Marshal(orders)
	if os.WriteFile(file+".tmp", b, 0o600) == nil {
		os.Rename(file+".tmp", file)
	}
}

func reply(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v)
}

func say(w http.ResponseWriter, code int, t, m string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	page.Execute(w, map[string]string{"T": t, "M": m})
}

func checkout(w http.ResponseWriter, r *http.Request) {
	var in struct{ Cart, Amount, Currency string }
	if r.Method != "POST" || json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&in) != nil || !money.MatchString(in.Amount) || len(in.Currency) != 3 {
		reply(w, 400, map[string]string{"error": "Please check your basket."})
		return
	}
	mu.Lock()
	o := carts[in.Cart]
	if o == nil || in.Cart == "" {
		b := make([]byte, 6)
		rand.Read(b)
		o = &Order{ID: "G-" + strings.ToUpper(hex.EncodeToString(b)), Cart: in.Cart, Amount: in.Amount, Currency: in.Currency, State: "awaiting_payment"}
		orders[o.ID] = o
		if in.Cart != "" {
			carts[in.Cart] = o
		}
		save()
	}
	mu.Unlock()
	o.opening.Lock() // a second click waits for the first one's answer
	defer o.opening.Unlock()
	mu.Lock()
	state := o.State
	var last *Payment
	if n := len(o.Payments); n > 0 && o.Payments[n-1].State == "open" && time.Since(o.Payments[n-1].Opened) < 9*time.Minute {
		last = o.Payments[n-1]
	}
	mu.Unlock()
	if state == "paid" || state == "review" {
		reply(w, 409, map[string]string{"id": o.ID, "error": "This order is already paid or being looked at."})
		return
	}
	if last != nil {
		verify(o, last)
		mu.Lock()
		open, state := last.State == "open", o.State
		mu.Unlock()
		if state == "paid" || state == "review" {
			reply(w, 409, map[string]string{"id": o.ID, "error": "This order is already paid or being looked at."})
			return
		}
		if open {
			reply(w, 200, map[string]string{"id": o.ID, "pay_at": last.URL})
			return
		}
	}
	tok, url, err := gw.Create(o.Amount, o.Currency, public+"/return?order="+o.ID, public+"/cancelled?order="+o.ID, o.ID)
	if err != nil {
		logj("ERROR", "payment could not be opened", "order", o.ID, "err", err.Error())
		w.Header().Set("Retry-After", "5")
		reply(w, 503, map[string]string{"id": o.ID, "error": "We cannot take payments at the moment. You were not charged, please try again."})
		return
	}
	mu.Lock()
	o.Payments = append(o.Payments, &Payment{Token: tok, URL: url, Opened: time.Now(), State: "open"})
	save()
	mu.Unlock()
	reply(w, 201, map[string]string{"id": o.ID, "pay_at": url})
}

func verify(o *Order, p *Payment) {
	s, err := gw.Check(p.Token)
	if err != nil {
		if err != errBusy {
			logj("ERROR", "payment could not be verified", "order", o.ID, "payment", p.Token, "err", err.Error())
		}
		return
	}
	logj("INFO", "payment status", "order", o.ID, "payment", p.Token, "trx_id", s.TrxID, "status", s.Status, "paid", s.Paid)
	mu.Lock()
	defer mu.Unlock()
	defer save()
	if p.State == "paid" {
		return
	}
	if !s.Paid {
		if s.Status == "EXPIRED" || s.Status == "CANCELLED" || s.Status == "FAILED" {
			p.State = "closed"
		} else {
			p.State = "open"
		}
		return
	}
	p.State = "paid"
	got, ok1 := new(big.Rat).SetString(s.Amount)
	want, ok2 := new(big.Rat).SetString(o.Amount)
	switch {
	case s.Custom != o.ID || !ok1 || !ok2 || got.Cmp(want) < 0 || s.Currency != o.Currency:
		o.State, o.Note = "review", "payment does not match the order"
		logj("ERROR", "verification failed: mismatch", "order", o.ID, "payment", p.Token)
	case o.State == "paid":
		o.Note = "double payment"
		logj("ERROR", "order was paid twice", "order", o.ID, "payment", p.Token)
	default:
		o.State = "paid"
		o.Shipments++
	}
}

func watch() { // background verification, every 2 s, each payment on its own
	busy := map[string]bool{}
	var bm sync.Mutex
	for range time.Tick(2 * time.Second) {
		mu.Lock()
		for _, o := range orders {
			for _, p := range o.Payments {
				if p.State == "paid" || time.Since(p.Opened) > 30*time.Minute {
					continue
				}
				bm.Lock()
				if !busy[p.Token] {
					busy[p.Token] = true
					go func(o *Order, p *Payment) {
						verify(o, p)
						bm.Lock()
						delete(busy, p.Token)
						bm.Unlock()
					}(o, p)
				}
				bm.Unlock()
			}
		}
		mu.Unlock()
	}
}

func main() {
	gw = NewGateway(strings.TrimRight(os.Getenv("PAY_BASE_URL"), "/"), os.Getenv("PAY_CLIENT_ID"), os.Getenv("PAY_SECRET_KEY"))
	if b, err := os.ReadFile(file); err == nil {
		json.Unmarshal(b, &orders)
		for _, o := range orders {
			if o.Cart != "" {
				carts[o.Cart] = o
			}
		}
	}
	go watch()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok")) })
	mux.HandleFunc("/checkout", checkout)
	mux.HandleFunc("/return", func(w http.ResponseWriter, r *http.Request) {
		say(w, 200, "Thank you", "We are checking your payment. You will get an e-mail as soon as it is confirmed.")
	})
	mux.HandleFunc("/cancelled", func(w http.ResponseWriter, r *http.Request) {
		say(w, 200, "Payment cancelled", "You did not pay. Your basket is still there.")
	})
	mux.HandleFunc("/orders/", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		o := orders[strings.TrimPrefix(r.URL.Path, "/orders/")]
		if o == nil {
			reply(w, 404, map[string]string{"error": "No such order."})
			return
		}
		reply(w, 200, map[string]any{"id": o.ID, "state": o.State, "note": o.Note, "shipments": o.Shipments, "amount": o.Amount, "currency": o.Currency})
	})
	srv := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: mux, ReadHeaderTimeout: 10 * time.Second, ErrorLog: log.New(os.Stderr, "", 0)}
	logj("INFO", "listening", "addr", srv.Addr)
	log.Fatal(srv.ListenAndServe())
}
