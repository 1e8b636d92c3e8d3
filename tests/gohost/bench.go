package main

import (
	"context"
	"encoding/hex"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// bench measures calls of one hook with one request, encoded beforehand. The
// times of calls that failed count, too.
func (p *running) bench(c *command) (any, error) {
	k := findHook(p.hooks, c.Hook)
	if k.streams || c.Calls < 1 {
		return nil, fail("argument", `bench needs "calls", and a hook that is not a stream`)
	}
	requests, err := k.requests(c)
	if err != nil {
		return nil, err
	}
	once := func() ([]byte, error) {
		// A deadline a call, as Mattermost sets it: it is a header on the wire.
		ctx, cancel := context.WithTimeout(context.Background(), c.timeout())
		defer cancel()
		responses, err := invoke(ctx, p.conn, k.path, requests)
		return responses[0], err
	}
	for range c.Warmup {
		_, _ = once()
	}

	var next, errors atomic.Int64
	var response, failed atomic.Value
	times := make([]time.Duration, c.Calls) // every call has its own element
	began := time.Now()
	var callers sync.WaitGroup
	for range max(c.Callers, 1) {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for i := next.Add(1) - 1; i < int64(c.Calls); i = next.Add(1) - 1 {
				started := time.Now()
				data, err := once()
				times[i] = time.Since(started)
				if err != nil {
					errors.Add(1)
					failed.Store(rpcFailure(err, started))
				} else if response.Load() == nil {
					response.Store(hex.EncodeToString(data))
				}
			}
		}()
	}
	callers.Wait()
	seconds := time.Since(began).Seconds()

	measured := summary(times)
	measured["seconds"] = seconds
	measured["per_second"] = float64(c.Calls) / seconds
	measured["errors"] = errors.Load()
	measured["error"] = failed.Load()
	measured["response_hex"] = response.Load()
	return measured, nil
}

// benchHealth measures health checks, one after the other.
func (p *running) benchHealth(c *command) (any, error) {
	if c.Calls < 1 {
		return nil, fail("argument", `bench_health needs "calls"`)
	}
	times := make([]time.Duration, c.Calls)
	for i := range times {
		started := time.Now()
		if err := p.protocol.Ping(); err != nil {
			return nil, rpcFailure(err, started)
		}
		times[i] = time.Since(started)
	}
	return summary(times), nil
}

func summary(times []time.Duration) result {
	slices.Sort(times)
	var sum time.Duration
	for _, t := range times {
		sum += t
	}
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
	return result{
		"median_us": us(times[len(times)/2]),
		"p99_us":    us(times[len(times)*99/100]),
		"mean_us":   us(sum / time.Duration(len(times))),
	}
}
