package sqs

import (
	"slices"
	"time"

	"workerpool/infra/local/faults"
)

// maxMessage is the largest message, and the largest batch, in bytes.
const maxMessage = 1 << 20

type sendInput struct {
	ID                      string `json:"Id"` // in a batch
	QueueURL                string `json:"QueueUrl"`
	MessageBody             string
	DelaySeconds            *int
	MessageAttributes       map[string]attribute
	MessageSystemAttributes map[string]attribute
}

type sendOutput struct {
	ID                     string `json:"Id,omitempty"`
	MessageID              string `json:"MessageId"`
	MD5OfMessageBody       string
	MD5OfMessageAttributes string `json:",omitempty"`
}

func (s *Queues) sendMessage(c call, in sendInput) (sendOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return sendOutput{}, err
	}
	return s.send(q, c.fault, in)
}

// send is called under the lock.
func (s *Queues) send(q *queue, f faults.Fault, in sendInput) (sendOutput, error) {
	if err := q.accepts(in); err != nil {
		return sendOutput{}, err
	}
	trace := ""
	if a := in.MessageSystemAttributes["AWSTraceHeader"]; a.StringValue != nil {
		trace = *a.StringValue
	}
	m := newMessage(in.MessageBody, in.MessageAttributes, trace)
	delay := q.settings.delay
	if in.DelaySeconds != nil {
		delay = time.Duration(*in.DelaySeconds) * time.Second
	}
	m.sentAt = s.now()
	m.visibleAt = m.sentAt.Add(delay + f.Delay)
	if f.Kind != faults.Lose {
		q.add(m)
	}
	if f.Kind == faults.Duplicate {
		q.add(m)
	}
	return sendOutput{in.ID, m.id, m.bodyMD5, digest(m.attributes)}, nil
}

func (q *queue) accepts(in sendInput) error {
	if err := checkAttributes(in.MessageAttributes); err != nil {
		return err
	}
	switch {
	case in.MessageBody == "":
		return missing("MessageBody")
	case size(in.MessageBody, in.MessageAttributes) > q.settings.maxSize:
		return refuse("InvalidParameterValue", "One or more parameters are invalid. Reason: Message must be shorter than %d bytes.", q.settings.maxSize)
	case !legible(in.MessageBody):
		return refuse("InvalidMessageContents", "The message contains characters outside the allowed set.")
	case in.DelaySeconds != nil && (*in.DelaySeconds < 0 || *in.DelaySeconds > 900):
		return invalid("DelaySeconds", *in.DelaySeconds, "DelaySeconds must be >= 0 and <= 900.")
	}
	return nil
}

type receiveInput struct {
	QueueURL                    string `json:"QueueUrl"`
	MaxNumberOfMessages         *int
	VisibilityTimeout           *int
	WaitTimeSeconds             *int
	AttributeNames              []string // the older name of the next
	MessageSystemAttributeNames []string
	MessageAttributeNames       []string
}

type received struct {
	MessageID              string `json:"MessageId"`
	ReceiptHandle          string
	Body                   string
	MD5OfBody              string
	Attributes             map[string]string    `json:",omitempty"`
	MessageAttributes      map[string]attribute `json:",omitempty"`
	MD5OfMessageAttributes string               `json:",omitempty"`
}

type receiveOutput struct {
	Messages []received `json:",omitempty"`
}

// within is the value of an optional parameter, or its default.
func within(name string, value *int, def, low, high int) (int, error) {
	if value == nil {
		return def, nil
	}
	if *value < low || *value > high {
		return 0, refuse("InvalidParameterValue", "Value %d for parameter %s is invalid. Reason: Must be between %d and %d, if provided.",
			*value, name, low, high)
	}
	return *value, nil
}

// receiveMessage waits up to the wait time for a first message. It looks again
// when something was sent and when a hidden message appears.
func (s *Queues) receiveMessage(c call, in receiveInput) (receiveOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return receiveOutput{}, err
	}
	limit, err := within("MaxNumberOfMessages", in.MaxNumberOfMessages, 1, 1, 10)
	if err != nil {
		return receiveOutput{}, err
	}
	visibility, err := within("VisibilityTimeout", in.VisibilityTimeout, int(q.settings.visibility/time.Second), 0, 43200)
	if err != nil {
		return receiveOutput{}, err
	}
	wait, err := within("WaitTimeSeconds", in.WaitTimeSeconds, int(q.settings.wait/time.Second), 0, 20)
	if err != nil {
		return receiveOutput{}, err
	}
	deadline := s.now().Add(time.Duration(wait) * time.Second)
	for c.ctx.Err() == nil {
		now := s.now()
		got := q.take(now, limit, time.Duration(visibility)*time.Second, s.byName[q.settings.redrive.queue], s.arn(q.name), c.fault.Kind)
		if len(got) > 0 || !now.Before(deadline) {
			return q.deliver(got, in), nil
		}
		wake := deadline
		if t, ok := q.nextVisible(now); ok && t.Before(wake) {
			wake = t
		}
		changed := q.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-s.at(wake):
		case <-c.ctx.Done():
		}
		s.mu.Lock()
	}
	return receiveOutput{}, nil
}

func (q *queue) deliver(got []*message, in receiveInput) receiveOutput {
	var out receiveOutput
	for _, m := range got {
		attributes := asked(m.attributes, in.MessageAttributeNames)
		out.Messages = append(out.Messages, received{
			MessageID:              m.id,
			ReceiptHandle:          q.handle(m),
			Body:                   m.body,
			MD5OfBody:              m.bodyMD5,
			Attributes:             systemAttributes(m, slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)),
			MessageAttributes:      attributes,
			MD5OfMessageAttributes: digest(attributes),
		})
	}
	return out
}

type receiptInput struct {
	ID                string `json:"Id"` // in a batch
	QueueURL          string `json:"QueueUrl"`
	ReceiptHandle     string
	VisibilityTimeout *int
}

func (s *Queues) deleteMessage(c call, in receiptInput) (nothing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nothing{}, err
	}
	return nothing{}, s.delete(q, c.fault, in)
}

// delete is called under the lock. As in SQS a stale handle is answered with
// success and deletes nothing, a handle whose visibility is over still deletes.
func (s *Queues) delete(q *queue, f faults.Fault, in receiptInput) error {
	m, err := q.holder(in.ReceiptHandle)
	if err != nil || m == nil || f.Kind == faults.Lose {
		return err
	}
	q.remove(m)
	return nil
}

func (s *Queues) changeMessageVisibility(c call, in receiptInput) (nothing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nothing{}, err
	}
	return nothing{}, s.changeVisibility(q, c.fault, in)
}

// changeVisibility is called under the lock.
func (s *Queues) changeVisibility(q *queue, f faults.Fault, in receiptInput) error {
	if in.VisibilityTimeout == nil {
		return missing("VisibilityTimeout")
	}
	seconds, err := within("VisibilityTimeout", in.VisibilityTimeout, 0, 0, 43200)
	if err != nil {
		return err
	}
	m, err := q.holder(in.ReceiptHandle)
	if err != nil {
		return err
	}
	now := s.now()
	switch {
	case m == nil:
		return invalid("ReceiptHandle", in.ReceiptHandle, "Message does not exist or is not available for visibility timeout change.")
	case !m.visibleAt.After(now):
		return refuse("MessageNotInflight", "The message referred to is not in flight.")
	case f.Kind == faults.Lose:
		return nil
	}
	m.visibleAt = now.Add(time.Duration(seconds) * time.Second)
	q.wake()
	return nil
}
