//go:build linux

package executor

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWords is how much of the end of standard error stands in an Outcome, bytes.
const maxWords = 200

// tail keeps the last bytes written: room for maxWords after cleaning.
type tail struct{ kept []byte }

func (t *tail) Write(p []byte) (int, error) {
	const room = 4 * maxWords
	t.kept = append(t.kept, p[max(0, len(p)-room):]...)
	t.kept = t.kept[max(0, len(t.kept)-room):]
	return len(p), nil
}

// lastWords gives the last lines, as one, of what a program said: whole
// characters that can be printed.
func lastWords(said []byte) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, string(said))
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > maxWords {
		_, size := utf8.DecodeRuneInString(text)
		text = text[size:]
	}
	return strings.TrimSpace(text)
}
