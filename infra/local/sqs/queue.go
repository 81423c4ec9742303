package sqs

import (
	"cmp"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"workerpool/infra/local/faults"
)

// queue holds one queue's messages, oldest first. Its methods are called under
// the lock of Queues.
type queue struct {
	name     string
	life     string // makes the handles of an earlier process or queue useless
	created  time.Time
	modified time.Time
	settings settings
	messages []*message // by seq
	lastSeq  uint64
	changed  chan struct{} // closed and replaced when a message may have become visible
}

type message struct {
	seq           uint64
	id            string
	body          string
	bodyMD5       string
	attributes    map[string]attribute
	trace         string // the AWSTraceHeader sent along
	source        string // ARN of the queue whose dead letter it is
	sentAt        time.Time
	firstReceived time.Time
	visibleAt     time.Time
	receives      int  // over its life, also before it became a dead letter
	taken         bool // was received from this queue, so has a current handle
}

func newQueue(name string, s settings) *queue {
	return &queue{name: name, life: rand.Text(), settings: s, changed: make(chan struct{})}
}

func newMessage(body string, attributes map[string]attribute, trace string) message {
	sum := md5.Sum([]byte(body))
	return message{id: newID(), body: body, bodyMD5: hex.EncodeToString(sum[:]), attributes: attributes, trace: trace}
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// wake makes every waiting receive look again.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// add stores a message at the end and wakes the waiting.
func (q *queue) add(m message) {
	q.lastSeq++
	m.seq, m.taken = q.lastSeq, false
	q.messages = append(q.messages, &m)
	q.wake()
}

// expire drops what was sent longer than the retention period ago.
func (q *queue) expire(now time.Time) {
	oldest := now.Add(-q.settings.retention)
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool { return !m.sentAt.After(oldest) })
}

// take delivers up to limit visible messages and hides them for the visibility
// time; those received too often already go to dead instead, if there is one.
func (q *queue) take(now time.Time, limit int, visibility time.Duration, dead *queue, arn string, kind faults.Kind) []*message {
	q.expire(now)
	order := slices.Clone(q.messages)
	if kind == faults.Reorder {
		slices.Reverse(order)
	}
	if kind == faults.Duplicate {
		visibility = 0
	}
	var got []*message
	for _, m := range order {
		if len(got) == limit {
			break
		}
		if m.visibleAt.After(now) {
			continue
		}
		if dead != nil && m.receives >= q.settings.redrive.maxReceives {
			q.remove(m)
			letter := *m
			letter.source = arn
			dead.add(letter)
			continue
		}
		m.receives++
		m.taken = true
		m.visibleAt = now.Add(visibility)
		if m.firstReceived.IsZero() {
			m.firstReceived = now
		}
		got = append(got, m)
	}
	return got
}

// nextVisible is when the first hidden message appears; ok is false without one.
func (q *queue) nextVisible(now time.Time) (t time.Time, ok bool) {
	for _, m := range q.messages {
		if m.visibleAt.After(now) && (!ok || m.visibleAt.Before(t)) {
			t, ok = m.visibleAt, true
		}
	}
	return t, ok
}

// counts tells how many messages can be received, are in flight, are delayed.
func (q *queue) counts(now time.Time) (visible, inFlight, delayed int) {
	q.expire(now)
	for _, m := range q.messages {
		switch {
		case !m.visibleAt.After(now):
			visible++
		case m.taken:
			inFlight++
		default:
			delayed++
		}
	}
	return visible, inFlight, delayed
}

func (q *queue) bySeq(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(q.messages, seq, func(m *message, seq uint64) int { return cmp.Compare(m.seq, seq) })
}

func (q *queue) remove(m *message) {
	if i, ok := q.bySeq(m.seq); ok {
		q.messages = slices.Delete(q.messages, i, i+1)
	}
}

// handle is the receipt of the newest delivery of m.
func (q *queue) handle(m *message) string {
	return base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %d", q.life, m.seq, m.receives))
}

// holder finds the message of a receipt handle: nil when it is gone or was
// received again since, an error when the text is no handle at all.
func (q *queue) holder(handle string) (*message, error) {
	text, err := base64.URLEncoding.DecodeString(handle)
	if err != nil || strings.Count(string(text), " ") != 2 {
		return nil, refuse("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
	}
	var life string
	var seq uint64
	var receives int
	if _, err := fmt.Sscanf(string(text), "%s %d %d", &life, &seq, &receives); err != nil {
		return nil, refuse("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
	}
	i, ok := q.bySeq(seq)
	if !ok || life != q.life || q.messages[i].receives != receives {
		return nil, nil
	}
	return q.messages[i], nil
}
