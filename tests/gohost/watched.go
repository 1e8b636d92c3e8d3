package main

import (
	"sync"
	"time"
)

// watched is the lock of something that can be waited for.
type watched struct {
	mu      sync.Mutex
	changed chan struct{} // closed, and a new one made, at every change
}

func newWatched() watched { return watched{changed: make(chan struct{})} }

func (w *watched) change(how func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	how()
	close(w.changed)
	w.changed = make(chan struct{})
}

// wait tells whether found, which is called with the lock held, came true in time.
func (w *watched) wait(timeout time.Duration, found func() bool) bool {
	expired := time.After(timeout)
	for {
		w.mu.Lock()
		if found() {
			w.mu.Unlock()
			return true
		}
		changed := w.changed
		w.mu.Unlock()
		select {
		case <-changed:
		case <-expired:
			return false
		}
	}
}
