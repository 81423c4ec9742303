package wire

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"workerpool/shared/pool"
)

// Fetch is a file that the worker fetches itself: a deal names it, and neither the
// pool nor anybody else has looked at it.
type Fetch struct {
	Name   string `json:"name"`
	URL    string `json:"url"`              // http, https, or /ipfs/ and a content id
	SHA256 string `json:"sha256,omitempty"` // of its bytes; "" = whatever comes
}

// dealTemplate is the stored form of what the works of a deal share: beside what
// everybody may submit the files that only a deal can name.
type dealTemplate struct {
	Template
	Fetch []Fetch `json:"fetch,omitempty"`
}

// FromFetches gives the files that a run's worker fetches itself.
func FromFetches(fetches []pool.Fetch) []Fetch {
	var out []Fetch
	for _, f := range fetches {
		one := Fetch{Name: f.Name, URL: f.URL}
		if !f.Digest.IsZero() {
			one.SHA256 = f.Digest.String()
		}
		out = append(out, one)
	}
	return out
}

func (f Fetch) pool() (pool.Fetch, error) {
	out := pool.Fetch{Name: f.Name, URL: f.URL}
	if f.SHA256 == "" {
		return out, nil
	}
	var err error
	out.Digest, err = pool.ParseDigest(f.SHA256)
	return out, err
}

// maxURL is the bytes of a URL that a file is fetched from.
const maxURL = 2 << 10

// fetches gives the files that a deal names, the dataset first, and puts into env
// what a run is told of them, in the words of iExec's worker (IexecEnvUtils of
// iexec-common): the dataset's file has the dataset's address for its name.
func fetches(d pool.Deal, inputs []string, env map[string]string) ([]Fetch, error) {
	var out []Fetch
	taken := map[string]bool{}
	if !d.Dataset.IsZero() {
		at, good := source(d.DatasetAt)
		switch {
		case tee(d.Tag) != "":
			return nil, invalid("", "it brings a dataset into a trusted environment, which this pool does not do")
		case !good:
			return nil, invalid("", "its dataset lies at neither an http(s) URL nor a content id of IPFS")
		}
		name := d.Dataset.String()
		env["IEXEC_DATASET_ADDRESS"], env["IEXEC_DATASET_FILENAME"], taken[name] = name, name, true
		out = FromFetches([]pool.Fetch{{Name: name, URL: at, Digest: d.DatasetSum}})
	}
	if len(inputs) > maxInputs {
		return nil, invalid("", "it reads %d files, and this pool brings at most %d", len(inputs), maxInputs)
	}
	if len(inputs) > 0 {
		env["IEXEC_INPUT_FILES_NUMBER"] = strconv.Itoa(len(inputs))
	}
	for i, text := range inputs {
		at, good := source(text)
		if !good {
			return nil, invalid("", "its input file %d lies at neither an http(s) URL nor a content id of IPFS", i+1)
		}
		name := fileName(at, taken)
		taken[name] = true
		env[fmt.Sprintf("IEXEC_INPUT_FILE_NAME_%d", i+1)] = name
		out = append(out, Fetch{Name: name, URL: at})
	}
	return out, nil
}

// ipfsForm is a content id, as of IPFS or of its peers, and a path below it.
var ipfsForm = regexp.MustCompile(`^/(?:ipfs|p2p)/([0-9A-Za-z]{32,128}(?:/[^/?#\\\x00-\x20]+)*)$`)

// source gives the form in which a file's location is told to workers, and whether
// it is a location at all. Whether one may go there is for each worker to say: it
// depends on where the host's name leads from there.
func source(text string) (at string, good bool) {
	if len(text) > maxURL || !utf8.ValidString(text) {
		return "", false
	}
	if parts := ipfsForm.FindStringSubmatch(text); parts != nil {
		return "/ipfs/" + parts[1], !strings.Contains(parts[1]+"/", "/../") && !strings.Contains(parts[1]+"/", "/./")
	}
	u, err := url.Parse(text)
	return text, err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil
}

// maxFileName is the bytes of a fetched file's name; file systems take 255.
const maxFileName = 200

// fileName gives what a fetched file is called: what its URL ends with, as iExec's
// worker calls it (DataService of iexec-worker), but without a query, which may be
// long and secret, and with underscores for what is hard to write down. It is none of
// those taken.
func fileName(at string, taken map[string]bool) string {
	at, _, _ = strings.Cut(at, "#")
	at, _, _ = strings.Cut(at, "?")
	name := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("._-~+=@,%", r) {
			return r
		}
		return '_'
	}, at[strings.LastIndexByte(at, '/')+1:])
	for len(name) > maxFileName { // its end says of what kind it is
		_, size := utf8.DecodeRuneInString(name)
		name = name[size:]
	}
	if strings.Trim(name, ".") == "" {
		name = "file"
	}
	unique := name
	for n := 2; taken[unique]; n++ {
		unique = fmt.Sprintf("%d-%s", n, name)
	}
	return unique
}
