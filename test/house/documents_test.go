package house

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"workerpool/shared/pool"
)

var (
	mapHeading = regexp.MustCompile(`(?im)^#{2,4} .*\bmap\b.*$`)
	anyHeading = regexp.MustCompile(`(?m)^#{2,4} `)
	placeName  = regexp.MustCompile(`\b(?:cmd|docs|events|functions|infra|shared|test)/[a-z0-9_{},./-]*`)
	fence      = regexp.MustCompile("(?s)```.*?```")
	treeTop    = regexp.MustCompile(`^(cmd|docs|events|functions|infra|shared|test)/`)
	treeBranch = regexp.MustCompile(`^\s+((?:[a-z0-9_]+/[ ,]*)+)`)
)

// mapped are the places that the README's map names: everything that looks like
// cmd/x, functions/, infra/x, shared/x or test/x in the section whose heading has
// the word "map". shared/{a,b} means both, and so does a line "  a/ b/" below a
// line "shared/" in a fenced block.
func mapped(readme string) ([]string, bool) {
	at := mapHeading.FindStringIndex(readme)
	if at == nil {
		return nil, false
	}
	section := readme[at[1]:]
	// A comment in a fenced block is no heading.
	plain := fence.ReplaceAllStringFunc(section, func(block string) string { return strings.ReplaceAll(block, "\n#", "\n ") })
	if next := anyHeading.FindStringIndex(plain); next != nil {
		section = section[:next[0]]
	}
	var out []string
	for _, block := range fence.FindAllString(section, -1) {
		top := ""
		for line := range strings.Lines(block) {
			if found := treeTop.FindString(line); found != "" {
				top = found
			} else if branch := treeBranch.FindStringSubmatch(line); branch != nil && top != "" {
				for _, name := range strings.FieldsFunc(branch[1], func(r rune) bool { return r == ' ' || r == ',' || r == '/' }) {
					out = append(out, top+name)
				}
			}
		}
	}
	for _, found := range placeName.FindAllString(section, -1) {
		before, rest, ok := strings.Cut(found, "{")
		if !ok {
			out = append(out, strings.TrimRight(found, "/.,"))
			continue
		}
		inside, after, _ := strings.Cut(rest, "}")
		for name := range strings.SplitSeq(inside, ",") {
			out = append(out, strings.TrimRight(before+name+after, "/.,"))
		}
	}
	return sorted(out), true
}

// place is what a map of one page names: shared/store for all below it, and
// functions for all functions.
func place(folder string) string {
	parts := strings.Split(folder, "/")
	if parts[0] == "functions" || len(parts) == 1 {
		return parts[0]
	}
	return parts[0] + "/" + parts[1]
}

// checkMap complains about packages that the map has not, and about places on the
// map that exists says are not there.
func checkMap(readme string, packages []string, exists func(string) bool) []string {
	names, ok := mapped(readme)
	if !ok {
		return []string{`README.md has no heading with the word "map" under which cmd/x, functions/, infra/x, shared/x and test/x are listed`}
	}
	var out, places, want []string
	for _, name := range names {
		places = append(places, place(name))
		if !exists(name) {
			out = append(out, name+" is on the map of README.md and does not exist")
		}
	}
	for _, name := range packages {
		want = append(want, place(name))
	}
	for _, name := range sorted(want) {
		if !slices.Contains(places, name) {
			out = append(out, name+" is not on the map of README.md")
		}
	}
	return sorted(out)
}

func TestMap(t *testing.T) {
	accept(t, checkMap(read(t, "README.md"), readTree(t).folders(), func(name string) bool {
		_, err := os.Stat(filepath.Join(root, name))
		return err == nil
	}))
}

func TestMapRefused(t *testing.T) {
	there := []string{"functions/ask", "functions/tell", "shared/books", "shared/words", "shared/words/more", "infra/local/play", "cmd/go"}
	exists := func(name string) bool {
		return slices.Contains(append(there, "functions", "infra/local", "shared"), name)
	}
	readme := "# Pool\n\nshared/before\n\n## The map\n\n```\n# no heading\nfunctions/    what runs\nshared/       thinks\n  words/ gone/   both\n```\n`shared/{words,lost}`, `infra/local`, [x](cmd/go).\n\n## Next\n\nshared/after\n"
	refuse(t, checkMap(readme, there, exists), "shared/books is not on the map", "shared/gone is on the map", "shared/lost is on the map")
	refuse(t, checkMap("# Pool\n", there, exists), "has no heading")
}

var (
	tableMade = regexp.MustCompile(`(?i)(?:CREATE|ALTER) TABLE (?:IF NOT EXISTS )?([a-z_]+)`)
	inList    = regexp.MustCompile(`(?i)CHECK \(([a-z_]+) IN \(([^)]*)\)\)`)
	quoted    = regexp.MustCompile(`'([^']*)'`)
)

// checkedValues are the words that CHECK allows, by "table.column"; a later
// statement stands above an earlier one.
func checkedValues(sql string) map[string][]string {
	out := map[string][]string{}
	table := ""
	for line := range strings.Lines(sql) {
		if made := tableMade.FindStringSubmatch(line); made != nil {
			table = made[1]
		}
		for _, check := range inList.FindAllStringSubmatch(line, -1) {
			var words []string
			for _, word := range quoted.FindAllStringSubmatch(check[2], -1) {
				words = append(words, word[1])
			}
			out[table+"."+check[1]] = sorted(words)
		}
	}
	return out
}

// pageStates are the words in the first column of the table under a heading.
func pageStates(page, heading string) []string {
	_, section, _ := strings.Cut(page, "\n## "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var out []string
	for line := range strings.Lines(section) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || strings.TrimSpace(cells[0]) != "" {
			continue
		}
		word := strings.Trim(strings.TrimSpace(cells[1]), "`")
		if word != "state" && strings.Trim(word, "-: ") != "" {
			out = append(out, word)
		}
	}
	return sorted(out)
}

func words[S ~string](states []S) []string {
	var out []string
	for _, state := range states {
		out = append(out, string(state))
	}
	return sorted(out)
}

// headings are where docs/states.md has the states of a table.
var headings = map[string]string{"work": "Work", "assignment": "Assignment of a deal's work"}

// checkStates complains where code, database and page know other states.
func checkStates(sql, page string, states map[string][]string) []string {
	var out []string
	checks := checkedValues(sql)
	for _, table := range sortedKeys(states) {
		inCode := states[table]
		out = append(out, differ(table+": state", "shared/pool", "the CHECK of its table", inCode, checks[table+".state"])...)
		out = append(out, differ(table+": state", "shared/pool", "docs/states.md", inCode, pageStates(page, headings[table]))...)
	}
	return out
}

func TestStates(t *testing.T) {
	var sql strings.Builder
	walk(t, "shared/store/migrations", func(name string) {
		if strings.HasSuffix(name, ".sql") {
			fmt.Fprintln(&sql, read(t, name))
		}
	})
	accept(t, checkStates(sql.String(), read(t, "docs/states.md"), map[string][]string{
		"work": words(pool.WorkStates), "assignment": words(pool.AssignmentStates),
	}))
}

func TestStatesRefused(t *testing.T) {
	sql := "CREATE TABLE work (\n  state VARCHAR(10),\n  CONSTRAINT a CHECK (kind IN ('x')),\n  CONSTRAINT b CHECK (state IN ('waiting', 'done', 'lost'))\n);\n"
	page := "# States\n\n## Work\n\n| state | may become |\n|---|---|\n| waiting | done |\n| odd | done |\n\n## Assignment of a deal's work\n\n| state |\n|---|\n| open |\n"
	refuse(t, checkStates(sql, page, map[string][]string{"work": {"done", "waiting"}}),
		"work: state lost is in the CHECK", "work: state done is in shared/pool and not in docs/states.md", "work: state odd is in docs/states.md")
}

// TestSettings: the local database is started with the settings of the one in AWS
// that the code counts upon.
func TestSettings(t *testing.T) {
	local := read(t, "infra/local/database/config.go")
	for _, group := range resources(readDatabase(t), "AWS::RDS::DBParameterGroup") {
		parameters := group.at("Properties", "Parameters")
		for setting, flag := range map[string]string{"sql_mode": "--sql-mode=", "transaction_isolation": "--transaction-isolation=", "character_set_server": "--character-set-server=", "collation_server": "--collation-server="} {
			if value := parameters.at(setting).text(); value == "" || !strings.Contains(local, `"`+flag+value+`"`) {
				t.Errorf("%s is %q in infra/database.yaml and not %s%s in infra/local/database/config.go", setting, value, flag, value)
			}
		}
	}
}
