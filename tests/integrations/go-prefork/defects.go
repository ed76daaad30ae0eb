//go:build defects

// The same shop with one mistake: go build -tags defects, then SHOP_DEFECT=NAME. defects.toml tells what each one breaks.
package main

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/http/httputil"
	"os"
	"sync"
)

func init() {
	plant = func(s *Shop) {
		if defect := defects[os.Getenv("SHOP_DEFECT")]; defect != nil {
			defect(s)
			return
		}
		fmt.Fprintln(os.Stderr, "SHOP_DEFECT names no mistake of defects.go")
		os.Exit(2)
	}
}

var defects = map[string]func(*Shop){
	"process-lock": func(s *Shop) {
		var mu sync.Mutex
		locks := map[string]*sync.Mutex{}
		s.lock = func(id string) (func(), error) {
			mu.Lock()
			if locks[id] == nil {
				locks[id] = &sync.Mutex{}
			}
			lock := locks[id]
			mu.Unlock()
			lock.Lock()
			return lock.Unlock, nil
		}
	},
	"stale-order": func(s *Shop) {
		s.book = func(order *Order, change func(*Order)) error {
			stale := *order
			stale.Payments = append([]Payment(nil), order.Payments...)
			change(&stale)
			shipped := stale.Parcels - order.Parcels
			return s.store.Change(order.ID, func(o *Order) {
				shipped += o.Parcels
				*o = stale
				o.Parcels = shipped
			})
		}
	},
	"same-bearer-again": func(s *Shop) {
		s.gateway.retryWith = func(old, _ string) string { return old }
	},
	"dumps-requests": func(s *Shop) {
		s.gateway.sent = func(request *http.Request) {
			if dump, err := httputil.DumpRequestOut(request.Clone(request.Context()), false); err == nil {
				s.log.Info("sending", "request", string(dump))
			}
		}
	},
	"names-by-checksum": func(s *Shop) {
		s.custom = func(order *Order) string { return fmt.Sprintf("W%08x", crc32.ChecksumIEEE([]byte(order.ID))) }
	},
	"compares-texts": func(s *Shop) {
		s.enough = func(order *Order, amount string) bool { return amount >= s.price(order).FloatString(2) }
	},
	"trusts-the-envelope": func(s *Shop) {
		s.gateway.decode = func(raw []byte) (string, Data, bool) {
			var envelope *struct {
				Type string
				Data Data
			}
			json.Unmarshal(raw, &envelope)
			return envelope.Type, envelope.Data, true
		}
	},
	"reason-in-a-header": func(s *Shop) {
		sorry := s.sorry
		s.sorry = func(w http.ResponseWriter, err error) {
			w.Header().Set("X-Reason", err.Error())
			sorry(w, err)
		}
	},
	"two-decimals": func(s *Shop) {
		s.exponent = func(string) int { return 2 }
	},
	"starts-again-when-refused": func(s *Shop) {
		s.gateway.refused = func(status int) {
			s.log.Error("the gateway does not know us, starting again", "status", status)
			os.Exit(3)
		}
	},
}
