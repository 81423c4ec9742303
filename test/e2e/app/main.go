// Command app is what the workers of the end-to-end tests run: its result
// depends on its arguments and inputs only, unless it was told to lie.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	lie := flag.Bool("lie", false, "give a wrong result, another one in every place")
	fail := flag.Bool("fail", false, "end with an error")
	forever := flag.String("until", "", "compute until this file exists")
	log := flag.Bool("log", false, "leave a log that no other place has, beside the result that is agreed upon")
	call := flag.String("call", "", "what the result is called back with, 0x and hexadecimal digits")
	flag.Parse()
	if *fail {
		fmt.Fprintln(os.Stderr, "failing as told")
		os.Exit(3)
	}
	for *forever != "" {
		if _, err := os.Stat(*forever); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond) // computing, as far as anybody can tell
	}
	text := strings.Join(flag.Args(), " ") + "\n"
	inputs, _ := filepath.Glob(filepath.Join(os.Getenv("IEXEC_IN"), "*"))
	for _, path := range inputs {
		content, err := os.ReadFile(path)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(4)
		}
		text += filepath.Base(path) + ":" + string(content) + "\n"
	}
	if *lie {
		text += fmt.Sprintf("a lie of %d\n", os.Getpid())
	}
	if err := os.WriteFile(filepath.Join(os.Getenv("IEXEC_OUT"), "result.txt"), []byte(text), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(5)
	}
	if *log {
		beside := map[string]string{"log.txt": fmt.Sprint(os.Getpid(), time.Now()), "computed.json": `{"deterministic-output-path":"/iexec_out/result.txt"}`}
		for name, text := range beside {
			if err := os.WriteFile(filepath.Join(os.Getenv("IEXEC_OUT"), name), []byte(text), 0o600); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(6)
			}
		}
	}
	if *call != "" {
		said := fmt.Appendf(nil, `{"callback-data":%q}`, *call)
		if err := os.WriteFile(filepath.Join(os.Getenv("IEXEC_OUT"), "computed.json"), said, 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(7)
		}
	}
}
