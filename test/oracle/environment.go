package oracle

import (
	"os"
	"sync"
)

var environment sync.Mutex

// Environment runs do while the process's environment has these values, one do
// at a time: for what reads them when it is made, in cases that run at once.
func Environment(values map[string]string, do func()) {
	environment.Lock()
	defer environment.Unlock()
	for name, value := range values {
		if before, had := os.LookupEnv(name); had {
			defer os.Setenv(name, before)
		} else {
			defer os.Unsetenv(name)
		}
		os.Setenv(name, value)
	}
	do()
}
