package main

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc/peer"
)

// breakable is a listener for gRPC whose connections can be broken on purpose.
type breakable struct {
	net.Listener
	mu    sync.Mutex
	conns map[string]*breakableConn // by the address of the other side
}

type breakableConn struct {
	net.Conn
	breaks atomic.Bool
	forget func()
}

func newBreakable(listener net.Listener) *breakable {
	return &breakable{Listener: listener, conns: map[string]*breakableConn{}}
}

func (b *breakable) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	address := conn.RemoteAddr().String()
	c := &breakableConn{Conn: conn, forget: func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.conns, address)
	}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.conns[address] = c
	return c, nil
}

// cut has the connection of a call end in the middle of its next message.
func (b *breakable) cut(ctx context.Context) {
	from, _ := peer.FromContext(ctx)
	b.mu.Lock()
	defer b.mu.Unlock()
	if conn := b.conns[from.Addr.String()]; conn != nil {
		conn.breaks.Store(true)
	}
}

func (c *breakableConn) Close() error {
	c.forget()
	return c.Conn.Close()
}

func (c *breakableConn) Write(data []byte) (int, error) {
	end := len(data)
	if c.breaks.Load() {
		end = halfOfMessage(data)
	}
	n, err := c.Conn.Write(data[:end])
	if end < len(data) {
		_ = c.Close()
		return n, io.ErrClosedPipe
	}
	return n, err
}

// halfOfMessage gives where the first DATA frame of HTTP/2 is half written; the end
// if there is none.
func halfOfMessage(data []byte) int {
	const header = 9
	for at := 0; at+header <= len(data); {
		length := int(data[at])<<16 | int(data[at+1])<<8 | int(data[at+2])
		if data[at+3] == 0 && length > 0 {
			return min(at+header+length/2, len(data))
		}
		at += header + length
	}
	return len(data)
}
