package main

import (
	"encoding/json"
	"fmt"
	"html/template"
	"math/big"
	"net/http"
	"regexp"
	"strings"
	"time"
)

const (
	paidAlready = "This order is paid, or we are looking into its payment. You do not need to pay again."
	notNow      = "We cannot take payments at this moment. You were not charged; please try again shortly."
)

var (
	ids      = regexp.MustCompile(`^[0-9A-Za-z-]{1,40}$`)
	decimals = map[string]int{"XAF": 0, "XOF": 0, "EUR": 2, "USD": 2}
	page     = template.Must(template.New("page").Parse(
		`<!doctype html><html lang="en"><title>{{.Title}}</title><main><h1>{{.Title}}</h1><p>{{.Text}}</p></main></html>`))
)

// Shop answers customers. The functions are its decisions, one by one.
type Shop struct {
	store   Store
	gateway *Gateway
	public  string
	log     *Log

	lock     func(id string) (func(), error)               // one checkout of an order at a time, in all processes
	custom   func(order *Order) string                     // how an order is named to the gateway
	exponent func(currency string) int                     // decimals of a currency
	enough   func(order *Order, amount string) bool        // whether this much pays the order
	book     func(order *Order, change func(*Order)) error // order: as it was before the gateway was asked
	sorry    func(w http.ResponseWriter, err error)
}

func NewShop(store Store, gateway *Gateway, public string, log *Log) *Shop {
	s := &Shop{store: store, gateway: gateway, public: strings.TrimRight(public, "/"), log: log}
	s.lock = func(id string) (func(), error) { return store.Lock("pay-" + id) }
	s.custom = func(order *Order) string { return order.ID }
	s.exponent = func(currency string) int { return decimals[currency] }
	s.enough = func(order *Order, amount string) bool {
		paid, ok := new(big.Rat).SetString(amount)
		return ok && paid.Cmp(s.price(order)) >= 0
	}
	s.book = func(order *Order, change func(*Order)) error { return store.Change(order.ID, change) }
	s.sorry = func(w http.ResponseWriter, _ error) {
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, map[string]any{"message": notNow})
	}
	return s
}

func (s *Shop) price(order *Order) *big.Rat {
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(s.exponent(order.Currency))), nil)
	return new(big.Rat).SetFrac(big.NewInt(order.Minor), unit)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func show(w http.ResponseWriter, status int, title, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	page.Execute(w, map[string]string{"Title": title, "Text": text})
}

// pay sends the customer to the order's payment page.
func (s *Shop) pay(w http.ResponseWriter, r *http.Request, id string) {
	var in struct {
		Price struct {
			Minor    int64
			Currency string
		}
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&in)
	if _, known := decimals[in.Price.Currency]; err != nil || in.Price.Minor <= 0 || !known {
		answer(w, http.StatusBadRequest, map[string]any{"message": "We cannot sell this, please look at your order again."})
		return
	}
	unlock, err := s.lock(id)
	if err != nil {
		s.failed(w, id, err)
		return
	}
	defer unlock()
	var order Order
	err = s.store.Change(id, func(o *Order) {
		if o.Minor == 0 {
			o.Minor, o.Currency = in.Price.Minor, in.Price.Currency
		}
		order = *o
	})
	if err != nil {
		s.failed(w, id, err)
		return
	}
	if order.Minor != in.Price.Minor || order.Currency != in.Price.Currency {
		answer(w, http.StatusConflict, map[string]any{"message": "This order has another price. Please start again."})
		return
	}
	s.verify(&order)
	if order.State != "open" {
		answer(w, http.StatusConflict, map[string]any{"message": paidAlready})
		return
	}
	if n := len(order.Payments); n > 0 && order.Payments[n-1].State == "open" && time.Since(order.Payments[n-1].Opened) < 8*time.Minute {
		answer(w, http.StatusOK, map[string]any{"links": map[string]string{"pay": order.Payments[n-1].URL}})
		return
	}
	token, url, err := s.gateway.Create(s.price(&order).FloatString(2), order.Currency, s.public+"/return/"+id, s.public+"/cancel/"+id, s.custom(&order))
	if err == nil {
		err = s.store.Change(id, func(o *Order) {
			o.Payments = append(o.Payments, Payment{Token: token, URL: url, State: "open", Opened: time.Now()})
		})
	}
	if err != nil {
		s.failed(w, id, err)
		return
	}
	answer(w, http.StatusCreated, map[string]any{"links": map[string]string{"pay": url}})
}

func (s *Shop) failed(w http.ResponseWriter, id string, err error) {
	s.log.Error("payment could not be opened", "order", id, "reason", err)
	s.sorry(w, err)
}

// verify asks the gateway about every payment of the order that may still bring money; false when it could not.
// No lock is held while asking, so that a slow gateway does not stop other processes. order is brought up to date.
func (s *Shop) verify(order *Order) bool {
	asked := true
	for _, payment := range order.Payments {
		if payment.State == "settled" {
			continue
		}
		data, err := s.gateway.Status(payment.Token)
		if err == nil {
			err = s.settle(order, payment.Token, data)
		}
		if err != nil {
			s.log.Error("payment could not be verified", "order", order.ID, "payment", payment.Token, "reason", err)
			asked = false
			break
		}
	}
	if now := s.store.Find(order.ID); now != nil {
		*order = *now
	}
	return asked
}

// settle books what the gateway said of a payment. Only the first process that comes with the news ships.
func (s *Shop) settle(order *Order, token string, data Data) error {
	id, state := order.ID, data.Text("status")
	if data.Text("paid") != "true" {
		return s.book(order, func(o *Order) {
			if state == "EXPIRED" || state == "FAILED" {
				o.mark(token, "closed")
			}
		})
	}
	s.log.Info("payment is paid", "order", id, "payment", token, "trx_id", data.Text("trx_id"), "amount", data.Text("amount"))
	return s.book(order, func(o *Order) {
		if !o.mark(token, "settled") {
			return
		}
		switch {
		case data.Text("custom") != s.custom(o) || data.Text("currency") != o.Currency || !s.enough(o, data.Text("amount")):
			o.State, o.Remark = "held", "the payment does not match the order"
			s.log.Error("verification failed: mismatch", "order", id, "payment", token)
		case o.State == "settled":
			o.Remark = "paid twice, refund due"
			s.log.Error("order was paid twice", "order", id, "payment", token)
		default:
			o.State = "settled"
			o.Parcels++
		}
	})
}

// mark gives a payment its state; false when it had it before.
func (o *Order) mark(token, state string) bool {
	for i := range o.Payments {
		if o.Payments[i].Token == token {
			changed := o.Payments[i].State != state
			o.Payments[i].State = state
			return changed
		}
	}
	return false
}

// back is where the customer lands after the payment page, whatever happened there. The query proves nothing.
func (s *Shop) back(w http.ResponseWriter, r *http.Request, id string) {
	order := s.store.Find(id)
	if order == nil {
		show(w, http.StatusNotFound, "Unknown order", "We have no order with this number.")
		return
	}
	asked := s.verify(order)
	switch {
	case order.State == "settled":
		show(w, http.StatusOK, "Thank you", fmt.Sprintf("Order %s is paid and will be sent today.", id))
	case order.State == "held":
		show(w, http.StatusOK, "We look into it", "Please do not pay again. We will write to you about your payment.")
	case !asked:
		show(w, http.StatusAccepted, "We are checking your payment", "Please reload this page in a minute, and do not pay again.")
	default:
		if r.URL.Query().Get("type") == "success" {
			s.log.Error("verification failed: a return claims a payment that the gateway does not know", "order", id)
		}
		show(w, http.StatusOK, "Not paid", "You have not paid this order. You can start again in the app.")
	}
}

func (s *Shop) state(w http.ResponseWriter, id string) {
	order := s.store.Find(id)
	if order == nil {
		answer(w, http.StatusNotFound, map[string]any{"message": "We have no order with this number."})
		return
	}
	w.Header().Set("X-Order-State", order.State)
	answer(w, http.StatusOK, map[string]any{"number": order.ID, "parcels": order.Parcels, "remark": order.Remark})
}

func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	id := parts[len(parts)-1]
	if len(parts) == 4 {
		id = parts[2]
	}
	switch {
	case r.URL.Path == "/up":
		fmt.Fprintln(w, "up")
	case !ids.MatchString(id):
		show(w, http.StatusNotFound, "Nothing here", "This page does not exist.")
	case r.Method == http.MethodPut && len(parts) == 4 && parts[1] == "orders" && parts[3] == "payment":
		s.pay(w, r, id)
	case r.Method == http.MethodGet && len(parts) == 3 && parts[1] == "orders":
		s.state(w, id)
	case r.Method == http.MethodGet && len(parts) == 2 && (parts[0] == "return" || parts[0] == "cancel"):
		s.back(w, r, id)
	default:
		show(w, http.StatusNotFound, "Nothing here", "This page does not exist.")
	}
}
