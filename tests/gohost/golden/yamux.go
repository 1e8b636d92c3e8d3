package main

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/yamux"
)

// yamuxCase is one step of a session, and what each side has written in it. The
// order between the two sides is not part of it.
type yamuxCase struct {
	Name   string  `json:"name"`
	Client []frame `json:"client"`
	Server []frame `json:"server"`
}

// frame has its header as bytes and in parts. Data longer than 64 bytes is not
// there: its byte at i is i % 251, counted from the first byte of the write.
type frame struct {
	Header string `json:"header"`
	Type   int    `json:"type"`
	Flags  int    `json:"flags"`
	Stream int    `json:"stream"`
	Length int    `json:"length"`
	Data   string `json:"data,omitempty"`
}

// wiretap keeps what is written, for it to be looked at while the session runs.
type wiretap struct {
	net.Conn
	mu      sync.Mutex
	written []byte
}

func (w *wiretap) Write(data []byte) (int, error) {
	n, err := w.Conn.Write(data)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written = append(w.written, data[:n]...)
	return n, err
}

func (w *wiretap) size() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.written)
}

// take gives the frames since the last time.
func (w *wiretap) take() []frame {
	w.mu.Lock()
	defer w.mu.Unlock()
	frames := []frame{}
	for rest := w.written; len(rest) > 0; {
		header := rest[:12]
		rest = rest[12:]
		one := frame{
			Header: hex.EncodeToString(header),
			Type:   int(header[1]),
			Flags:  int(binary.BigEndian.Uint16(header[2:])),
			Stream: int(binary.BigEndian.Uint32(header[4:])),
			Length: int(binary.BigEndian.Uint32(header[8:])),
		}
		if one.Type == 0 { // data follow
			if one.Length <= 64 {
				one.Data = hex.EncodeToString(rest[:one.Length])
			}
			rest = rest[one.Length:]
		}
		frames = append(frames, one)
	}
	w.written = nil
	return frames
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func yamuxCases() []yamuxCase {
	near, far := net.Pipe()
	client, server := &wiretap{Conn: near}, &wiretap{Conn: far}
	config := yamux.DefaultConfig()
	config.EnableKeepAlive = false // pings come when they are asked for
	config.LogOutput = io.Discard
	host, plugin := must(yamux.Client(client, config)), must(yamux.Server(server, config))

	var all []yamuxCase
	step := func(name string, do func()) {
		do()
		// Nobody says when a session has written everything: it is still for a while.
		for sum, quiet := -1, 0; quiet < 20; time.Sleep(5 * time.Millisecond) {
			if now := client.size() + server.size(); now == sum {
				quiet++
			} else {
				sum, quiet = now, 0
			}
		}
		all = append(all, yamuxCase{name, client.take(), server.take()})
	}
	read := func(from net.Conn, n int) { must(io.ReadFull(from, make([]byte, n))) }
	pattern := func(n int) []byte {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(i % 251)
		}
		return data
	}

	var first, second, third, firstFar, secondFar, thirdFar net.Conn
	step("the client opens a stream", func() { first = must(host.Open()) })
	step("the server accepts it", func() { firstFar = must(plugin.Accept()) })
	step("the client writes", func() { must(first.Write([]byte("hello"))) })
	step("the server reads it", func() { read(firstFar, 5) })
	step("the server answers", func() { must(firstFar.Write([]byte("hello to you"))) })
	step("the client reads it", func() { read(first, 12) })
	step("the client asks for a ping", func() { must(host.Ping()) })
	step("the server asks for a ping", func() { must(plugin.Ping()) })
	step("the server opens a stream and writes", func() {
		second = must(plugin.Open())
		must(second.Write([]byte{1, 0, 0, 0}))
	})
	step("the client accepts it, reads, and answers", func() {
		secondFar = must(host.Accept())
		read(secondFar, 4)
		must(secondFar.Write([]byte{1, 0, 0, 0}))
	})
	const large = 300 << 10
	step("the client opens a stream and writes more than the window", func() {
		third = must(host.Open())
		go func() { _, _ = third.Write(pattern(large)) }()
	})
	step("the server accepts it and reads a little", func() {
		thirdFar = must(plugin.Accept())
		read(thirdFar, 1000)
	})
	step("the server reads half of the window", func() { read(thirdFar, 128<<10) })
	step("the server reads the rest", func() { read(thirdFar, large-1000-128<<10) })
	step("the client closes its half", func() { _ = third.Close() })
	step("the server closes the other", func() { _ = thirdFar.Close() })
	step("the server closes its stream first", func() { _ = second.Close() })
	step("the client goes away", func() { _ = host.GoAway() })
	step("the client ends the session", func() { _ = host.Close() })
	return all
}
