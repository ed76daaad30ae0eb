// A shop of several processes. The first one opens the port and starts workers that share it; each worker serves one
// customer at a time, has a token and a connection pool of its own, and is started again when it dies.
package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const workers = 4

// plant changes a shop before it opens; careful shops are left as they are.
var plant = func(*Shop) {}

// Log writes one line an event: key=value, texts quoted.
type Log struct {
	out    io.Writer
	worker string
	mu     sync.Mutex
}

func (l *Log) write(level, message string, facts []any) {
	var line strings.Builder
	fmt.Fprintf(&line, "time=%s level=%s worker=%s msg=%q", time.Now().UTC().Format(time.RFC3339Nano), level, l.worker, message)
	for i := 0; i+1 < len(facts); i += 2 {
		fmt.Fprintf(&line, " %v=%q", facts[i], fmt.Sprint(facts[i+1]))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.out, line.String())
}

func (l *Log) Info(message string, facts ...any)  { l.write("info", message, facts) }
func (l *Log) Error(message string, facts ...any) { l.write("error", message, facts) }

// turns is a listener that takes the next customer when the last one has gone.
type turns struct {
	net.Listener
	free chan struct{}
}

type turn struct {
	net.Conn
	once sync.Once
	done func()
}

func (t *turns) Accept() (net.Conn, error) {
	t.free <- struct{}{}
	conn, err := t.Listener.Accept()
	if err != nil {
		<-t.free
		return nil, err
	}
	return &turn{Conn: conn, done: func() { <-t.free }}, nil
}

func (c *turn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.done)
	return err
}

func setting(name string) string {
	value := os.Getenv(name)
	if value == "" {
		fmt.Fprintf(os.Stderr, "cannot start: set %s in the environment\n", name)
		os.Exit(2)
	}
	return value
}

func work(number string) error {
	data := setting("DATA_DIR")
	file, err := os.OpenFile(filepath.Join(data, "log", "worker-"+number+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	log := &Log{out: file, worker: number}
	gateway := NewGateway(setting("PAY_BASE_URL"), setting("PAY_CLIENT_ID"), setting("PAY_SECRET_KEY"), log)
	shop := NewShop(Store{filepath.Join(data, "orders")}, gateway, setting("PUBLIC_URL"), log)
	plant(shop)
	listener, err := net.FileListener(os.NewFile(3, "listener"))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: shop, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, ErrorLog: nil}
	server.SetKeepAlivesEnabled(false)
	log.Info("worker is ready")
	return server.Serve(&turns{listener, make(chan struct{}, 1)})
}

// keep runs a worker, and another one after it, until the shop closes.
func keep(number int, socket *os.File, closing <-chan struct{}) {
	runtime.LockOSThread() // a worker gets its signal when the thread that started it ends
	for {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "WORKER="+strconv.Itoa(number))
		cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = os.Stdout, os.Stderr, []*os.File{socket}
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
		if err := cmd.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "cannot start a worker:", err)
			os.Exit(1)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-closing:
			cmd.Process.Signal(syscall.SIGTERM)
			<-ended
			return
		case err := <-ended:
			fmt.Fprintf(os.Stderr, "level=error msg=\"worker %d ended\" reason=%q\n", number, fmt.Sprint(err))
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func serve() error {
	for _, folder := range []string{"log", "orders"} {
		if err := os.MkdirAll(filepath.Join(setting("DATA_DIR"), folder), 0o700); err != nil {
			return err
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+setting("PORT"))
	if err != nil {
		return err
	}
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	closing := make(chan struct{})
	var staff sync.WaitGroup
	for number := 1; number <= workers; number++ {
		staff.Add(1)
		go func(number int) {
			defer staff.Done()
			keep(number, socket, closing)
		}(number)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	close(closing)
	staff.Wait()
	return nil
}

func main() {
	var err error
	if number := os.Getenv("WORKER"); number != "" {
		err = work(number)
	} else {
		err = serve()
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
