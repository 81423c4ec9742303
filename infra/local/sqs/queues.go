package sqs

import (
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (s *Queues) arn(name string) string {
	return "arn:aws:sqs:" + s.region + ":" + account + ":" + name
}

func (c call) url(name string) string { return c.base + "/" + account + "/" + name }

// find is called under the lock. Only the last part of the URL counts, so that a
// queue can be reached by every address its process has.
func (s *Queues) find(url string) (*queue, error) {
	if url == "" {
		return nil, missing("QueueUrl")
	}
	q, ok := s.byName[path.Base(url)]
	if !ok {
		return nil, noQueue()
	}
	return q, nil
}

func noQueue() *fault {
	return refuse("QueueDoesNotExist", "The specified queue does not exist.")
}

func missing(parameter string) *fault {
	return refuse("MissingParameter", "The request must contain the parameter %s.", parameter)
}

func (s *Queues) exists(name string) bool { return s.byName[name] != nil }

type nothing struct{}

type queueInput struct {
	QueueName  string
	QueueURL   string `json:"QueueUrl"`
	Attributes map[string]string
}

type queueOutput struct {
	QueueURL string `json:"QueueUrl"`
}

func (s *Queues) createQueue(c call, in queueInput) (queueOutput, error) {
	if !queueName.MatchString(in.QueueName) {
		return queueOutput{}, invalid("QueueName", in.QueueName,
			"Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length. FIFO queues are not known here.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	wanted, err := defaults().with(in.Attributes, s.exists)
	if err != nil {
		return queueOutput{}, err
	}
	if q, ok := s.byName[in.QueueName]; ok {
		for name := range in.Attributes {
			if q.settings.raw[name] != wanted.raw[name] {
				return queueOutput{}, refuse("QueueNameExists",
					"A queue already exists with the same name and a different value for attribute %s", name)
			}
		}
		return queueOutput{c.url(in.QueueName)}, nil
	}
	q := newQueue(in.QueueName, wanted)
	q.created, q.modified = s.now(), s.now()
	s.byName[in.QueueName] = q
	return queueOutput{c.url(in.QueueName)}, nil
}

func (s *Queues) getQueueURL(c call, in queueInput) (queueOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.QueueName == "" {
		return queueOutput{}, missing("QueueName")
	}
	if !s.exists(in.QueueName) {
		return queueOutput{}, noQueue()
	}
	return queueOutput{c.url(in.QueueName)}, nil
}

type listInput struct{ QueueNamePrefix string }

type listOutput struct {
	QueueURLs []string `json:"QueueUrls"`
}

// listQueues answers all queues at once; it has no pages.
func (s *Queues) listQueues(c call, in listInput) (listOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := listOutput{QueueURLs: []string{}}
	for _, name := range slices.Sorted(maps.Keys(s.byName)) {
		if strings.HasPrefix(name, in.QueueNamePrefix) {
			out.QueueURLs = append(out.QueueURLs, c.url(name))
		}
	}
	return out, nil
}

type attributesInput struct {
	QueueURL       string `json:"QueueUrl"`
	AttributeNames []string
}

type attributesOutput struct{ Attributes map[string]string }

func (s *Queues) getQueueAttributes(_ call, in attributesInput) (attributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return attributesOutput{}, err
	}
	all := maps.Clone(q.settings.raw)
	visible, inFlight, delayed := q.counts(s.now())
	all["QueueArn"] = s.arn(q.name)
	all["CreatedTimestamp"] = strconv.FormatInt(q.created.Unix(), 10)
	all["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Unix(), 10)
	all["ApproximateNumberOfMessages"] = strconv.Itoa(visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(inFlight)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(delayed)
	for _, name := range in.AttributeNames {
		if _, ok := all[name]; !ok && name != "All" && name != "RedrivePolicy" && !kept[name] {
			return attributesOutput{}, refuse("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
	}
	maps.DeleteFunc(all, func(name, _ string) bool {
		return !slices.Contains(in.AttributeNames, "All") && !slices.Contains(in.AttributeNames, name)
	})
	return attributesOutput{all}, nil
}

func (s *Queues) setQueueAttributes(_ call, in queueInput) (nothing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nothing{}, err
	}
	next, err := q.settings.with(in.Attributes, s.exists)
	if err != nil {
		return nothing{}, err
	}
	q.settings, q.modified = next, s.now()
	return nothing{}, nil
}

func (s *Queues) purgeQueue(_ call, in queueInput) (nothing, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueURL)
	if err != nil {
		return nothing{}, err
	}
	q.messages = nil
	return nothing{}, nil
}

type moveInput struct{ SourceArn, DestinationArn string }

type moveOutput struct{ TaskHandle string }

// startMessageMoveTask moves what is visible in a dead-letter queue back to where
// it came from, or to one given queue, as new messages. The whole move happens
// before the answer; what was sent to the dead-letter queue directly stays unless
// a destination is given.
func (s *Queues) startMessageMoveTask(_ call, in moveInput) (moveOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name, err := queueOfARN(in.SourceArn)
	if err != nil {
		return moveOutput{}, err
	}
	dead, ok := s.byName[name]
	if !ok {
		return moveOutput{}, refuse("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	isDead := func(q *queue) bool { return q.settings.redrive.queue == name }
	if !slices.ContainsFunc(slices.Collect(maps.Values(s.byName)), isDead) {
		return moveOutput{}, invalid("SourceArn", in.SourceArn, "Source queue must be configured as a Dead Letter Queue.")
	}
	if in.DestinationArn != "" {
		name, err := queueOfARN(in.DestinationArn)
		if err != nil {
			return moveOutput{}, err
		}
		if !s.exists(name) {
			return moveOutput{}, refuse("ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist.")
		}
	}
	s.moveBack(dead, in.DestinationArn)
	return moveOutput{newID()}, nil
}

// moveBack is the move itself; an empty destination means where each came from.
func (s *Queues) moveBack(dead *queue, destination string) {
	now := s.now()
	dead.expire(now)
	for _, m := range slices.Clone(dead.messages) {
		arn := destination
		if arn == "" {
			arn = m.source
		}
		to, ok := s.byName[arn[strings.LastIndexByte(arn, ':')+1:]]
		if !ok || m.visibleAt.After(now) {
			continue
		}
		dead.remove(m)
		again := newMessage(m.body, m.attributes, m.trace)
		again.sentAt, again.visibleAt = now, now
		to.add(again)
	}
}
