package sqs

import (
	"errors"
	"regexp"

	"workerpool/infra/local/faults"
)

type batchInput[E any] struct {
	QueueURL string `json:"QueueUrl"`
	Entries  []E
}

type batchOutput[R any] struct {
	Successful []R
	Failed     []failed
}

type failed struct {
	ID          string `json:"Id"`
	SenderFault bool
	Code        string
	Message     string
}

type succeeded struct {
	ID string `json:"Id"`
}

var entryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// batch carries out do on every entry; one that is refused does not hinder the
// others.
func batch[E, R any](s *Queues, c call, in batchInput[E], id func(E) string, do func(*queue, faults.Fault, E) (R, error)) (batchOutput[R], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := batchOutput[R]{Successful: []R{}, Failed: []failed{}}
	q, err := s.find(in.QueueURL)
	if err != nil {
		return out, err
	}
	if len(in.Entries) == 0 {
		return out, refuse("EmptyBatchRequest", "There should be at least one entry in the request.")
	}
	if len(in.Entries) > 10 {
		return out, refuse("TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10. You have sent %d.", len(in.Entries))
	}
	seen := map[string]bool{}
	for _, e := range in.Entries {
		switch {
		case !entryID.MatchString(id(e)):
			return out, refuse("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.")
		case seen[id(e)]:
			return out, refuse("BatchEntryIdsNotDistinct", "Id %s repeated.", id(e))
		}
		seen[id(e)] = true
	}
	for _, e := range in.Entries {
		result, err := do(q, c.fault, e)
		var f *fault
		switch {
		case errors.As(err, &f):
			out.Failed = append(out.Failed, failed{ID: id(e), SenderFault: true, Code: f.code, Message: f.message})
		case err != nil:
			return out, err
		default:
			out.Successful = append(out.Successful, result)
		}
	}
	return out, nil
}

func (s *Queues) sendMessageBatch(c call, in batchInput[sendInput]) (batchOutput[sendOutput], error) {
	total := 0
	for _, e := range in.Entries {
		total += size(e.MessageBody, e.MessageAttributes)
	}
	if total > maxMessage {
		return batchOutput[sendOutput]{}, refuse("BatchRequestTooLong",
			"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessage, total)
	}
	return batch(s, c, in, func(e sendInput) string { return e.ID }, s.send)
}

func (s *Queues) deleteMessageBatch(c call, in batchInput[receiptInput]) (batchOutput[succeeded], error) {
	return s.receipts(c, in, s.delete)
}

func (s *Queues) changeMessageVisibilityBatch(c call, in batchInput[receiptInput]) (batchOutput[succeeded], error) {
	return s.receipts(c, in, s.changeVisibility)
}

func (s *Queues) receipts(c call, in batchInput[receiptInput], do func(*queue, faults.Fault, receiptInput) error) (batchOutput[succeeded], error) {
	return batch(s, c, in, func(e receiptInput) string { return e.ID },
		func(q *queue, f faults.Fault, e receiptInput) (succeeded, error) { return succeeded{e.ID}, do(q, f, e) })
}
