package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A run of more calls keeps the time of every second one, or third …
const maxTimes = 200_000

// bench measures calls of one hook with one request. The times of calls that
// failed count, too.
func (p *running) bench(c *command) (any, error) {
	if c.Calls < 1 {
		return nil, fail("argument", `bench needs "calls"`)
	}
	next, err := p.wire.exchanges(c)
	if err != nil {
		return nil, err
	}
	for range c.Warmup {
		_ = next().send()
	}

	every := (c.Calls + maxTimes - 1) / maxTimes
	times := make([]time.Duration, (c.Calls+every-1)/every) // every call has its own element
	var number, errors, sum atomic.Int64
	var answer, failed atomic.Value
	began := time.Now()
	var callers sync.WaitGroup
	for range max(c.Callers, 1) {
		callers.Add(1)
		go func() {
			defer callers.Done()
			for i := int(number.Add(1)) - 1; i < c.Calls; i = int(number.Add(1)) - 1 {
				call := next()
				started := time.Now()
				err := call.send()
				took := time.Since(started)
				sum.Add(int64(took))
				if i%every == 0 {
					times[i/every] = took
				}
				if err != nil {
					errors.Add(1)
					failed.Store(p.wire.failure(err, started))
				} else if answer.Load() == nil {
					answer.Store(call.answer(true))
				}
			}
		}()
	}
	callers.Wait()
	seconds := time.Since(began).Seconds()

	measured := summary(times)
	measured["mean_us"] = float64(sum.Load()) / float64(c.Calls) / 1000
	measured["seconds"] = seconds
	measured["per_second"] = float64(c.Calls) / seconds
	measured["errors"] = errors.Load()
	measured["error"] = failed.Load()
	measured["peer_rss_kb"] = p.memory()
	if first, ok := answer.Load().(result); ok {
		maps.Copy(measured, first)
	} else {
		maps.Copy(measured, next().answer(false))
	}
	return measured, nil
}

// memory is what the plugin's process has in RAM, in KiB; null where no /proc
// tells it.
func (p *running) memory() any {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmRSS:" {
			if size, err := strconv.Atoi(fields[1]); err == nil {
				return size
			}
		}
	}
	return nil
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
			return nil, p.wire.failure(err, started)
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
