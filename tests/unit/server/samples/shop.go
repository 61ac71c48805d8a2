// Package queue has a bounded queue.
package queue

import (
	"errors"
	"sync"
)

var ErrFull = errors.New("full")

// Queue is a bounded first-in first-out queue that is safe for concurrent use.
type Queue[T any] struct {
	mu    sync.Mutex
	items []T
	cap   int
}

// New returns an empty queue that holds at most cap items.
func New[T any](cap int) *Queue[T] {
	return &Queue[T]{cap: cap}
}

// Push adds an item at the end of the queue and fails when it is full.
func (q *Queue[T]) Push(item T) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == q.cap {
		return ErrFull
	}
	q.items = append(q.items, item)
	return nil
}

func (q Queue[T]) Len() int { return len(q.items) }
