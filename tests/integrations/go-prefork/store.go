package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// A Payment is one attempt to pay an order. State: open, settled, closed.
type Payment struct {
	Token, URL, State string
	Opened            time.Time
}

// An Order is paid when State is "settled". Minor is the price in the currency's smallest unit.
type Order struct {
	ID       string
	Minor    int64
	Currency string
	State    string
	Remark   string
	Parcels  int
	Payments []Payment
}

// Store keeps each order in a file of its own. Processes share nothing but these files, and take turns by locks on them.
type Store struct{ dir string }

// Lock waits for a lock that all processes see; the kernel frees it when its holder dies.
func (s Store) Lock(name string) (unlock func(), err error) {
	file, err := os.OpenFile(filepath.Join(s.dir, name+".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		if err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return func() { file.Close() }, nil
}

// Find returns an order as it is now, nil when there is none.
func (s Store) Find(id string) *Order {
	raw, err := os.ReadFile(filepath.Join(s.dir, id+".json"))
	var order Order
	if err != nil || json.Unmarshal(raw, &order) != nil {
		return nil
	}
	return &order
}

// Change reads an order, lets do change it and writes it back, as one step among all processes.
func (s Store) Change(id string, do func(*Order)) error {
	unlock, err := s.Lock(id)
	if err != nil {
		return err
	}
	defer unlock()
	order := s.Find(id)
	if order == nil {
		order = &Order{ID: id, State: "open"}
	}
	do(order)
	return s.write(order)
}

func (s Store) write(order *Order) error {
	raw, err := json.Marshal(order)
	if err != nil {
		return err
	}
	fresh := filepath.Join(s.dir, order.ID+".new")
	if err := os.WriteFile(fresh, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, filepath.Join(s.dir, order.ID+".json"))
}
