//go:build linux

package executor

import (
	"strings"
	"testing"
)

func TestReasonComesWithTheLastWords(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"none":    {"exit 1", ""},
		"short":   {`echo "no such file" >&2; exit 1`, "no such file"},
		"lines":   {`printf 'one\ntwo\n\n' >&2; exit 1`, "one two"},
		"control": {`printf 'a\000\033\007b\r\n' >&2; exit 1`, "ab"},
		"long":    {`printf '%0300d end' 0 >&2; exit 1`, strings.Repeat("0", maxWords-4) + " end"},
		"cut in a character": {
			`printf '%0300d' 0 | sed s/0/é/g >&2; exit 1`, strings.Repeat("é", maxWords/2),
		},
		"no characters":   {`printf 'a\377b' >&2; exit 1`, "a?b"},
		"beyond the file": {`head -c 2m /dev/zero >&2; echo end >&2; exit 1`, "end"},
		"success":         {`echo fine >&2`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if out := run(t, shell(t, c.script)); out.Words != c.want {
				t.Errorf("%q, want %q", out.Words, c.want)
			}
		})
	}
}
