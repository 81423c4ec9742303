package house

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// maxBootstrapMB is what a function for AWS may weigh: it is fetched at each cold start.
const maxBootstrapMB = 14

// connectionShare is the part of max_connections, in percent, that the functions
// may use: two versions run side by side while one takes over.
const connectionShare = 60

// checkConnections complains when all functions that know the database want more
// connections at once than it can spare. Each running function holds perFunction.
func checkConnections(template, database node, perFunction int) []string {
	most := 0
	for _, group := range resources(database, "AWS::RDS::DBParameterGroup") {
		most = group.at("Properties", "Parameters", "max_connections").number()
	}
	if most == 0 {
		return []string{"infra/database.yaml sets no max_connections"}
	}
	var out, parts []string
	sum := 0
	functions := functionsOf(template)
	for _, name := range sortedKeys(functions) {
		f := functions[name]
		if f.environment["DBHOST"] == "" {
			continue
		}
		n := f.most()
		if n == 0 {
			out = append(out, name+" may run any number of times at once, each with a connection")
		}
		sum += n * perFunction
		parts = append(parts, fmt.Sprintf("%s %d", name, n*perFunction))
	}
	if sum*100 > most*connectionShare {
		out = append(out, fmt.Sprintf("the functions hold %d connections (%s), more than %d %% of %d", sum, strings.Join(parts, " + "), connectionShare, most))
	}
	return out
}

// most is how many of the function run at once; 0 = any number.
func (f function) most() int {
	n := f.reserved
	for _, event := range f.events {
		if n == 0 {
			n = event.at("Properties", "ScalingConfig", "MaximumConcurrency").number()
		}
	}
	return n
}

func sortedKeys[V any](of map[string]V) []string {
	var out []string
	for key := range of {
		out = append(out, key)
	}
	return sorted(out)
}

// checkWeights complains about files in folder that are too heavy.
func checkWeights(t *testing.T, folder string, mostMB int64) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatalf("reading what was built: %v", err)
	}
	var out []string
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			t.Fatalf("reading what was built: %v", err)
		}
		t.Logf("%-10s %5.2f MB", entry.Name(), float64(info.Size())/1e6)
		if info.Size() > mostMB*1e6 {
			out = append(out, fmt.Sprintf("%s weighs %.1f MB, at most %d are allowed", entry.Name(), float64(info.Size())/1e6, mostMB))
		}
	}
	return sorted(out)
}

// TestWeights builds all functions as `make build` does and weighs them.
func TestWeights(t *testing.T) {
	readTree(t) // so that go test knows on which files this result rests
	folder := t.TempDir()
	build := exec.Command("go", "build", "-o", folder+string(filepath.Separator), "-trimpath", "-buildvcs=false",
		"-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "./functions/...")
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the functions for AWS: %v\n%s", err, output)
	}
	accept(t, checkWeights(t, folder, maxBootstrapMB))
}

func TestWeightsRefused(t *testing.T) {
	folder := t.TempDir()
	for name, size := range map[string]int{"heavy": 1_000_001, "light": 1_000_000} {
		if err := os.WriteFile(filepath.Join(folder, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refuse(t, checkWeights(t, folder, 1), "heavy weighs 1.0 MB")
}

var connectionsOpened = regexp.MustCompile(`MaxConns == 0 \{\s*c\.MaxConns = ([0-9]+)\s`)

func TestConnections(t *testing.T) {
	found := connectionsOpened.FindStringSubmatch(read(t, "shared/store/store.go"))
	if found == nil {
		t.Fatal("shared/store/store.go does not say how many connections a function holds at most (MaxConns)")
	}
	perFunction, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	accept(t, checkConnections(readTemplate(t), readDatabase(t), perFunction))
	sum := 0
	for _, f := range functionsOf(readTemplate(t)) {
		if f.environment["DBHOST"] != "" {
			sum += f.most() * perFunction
		}
	}
	if told := fmt.Sprintf("= %d,\n  # at most %d %% of max_connections", sum, connectionShare); !strings.Contains(read(t, "template.yaml"), told) {
		t.Errorf("the comment above the functions in template.yaml does not say %q", told)
	}
}
