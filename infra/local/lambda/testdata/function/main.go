// The function of the tests: it does what its event says.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	Size int
}

type answer struct {
	PID         int
	Count       int
	Environment map[string]string
	RequestID   string
	ARN         string
	LeftMS      int64
	Text        string
}

var count int

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Fprint(os.Stderr, "no database: giving up")
		os.Exit(3)
	case "error":
		url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
		body := `{"errorType":"Init","errorMessage":"DBHOST is not set"}`
		if _, err := http.Post(url, "application/json", bytes.NewBufferString(body)); err != nil {
			panic(err)
		}
		os.Exit(1)
	}
	lambda.Start(handle)
}

func handle(ctx context.Context, e event) (answer, error) {
	count++
	fmt.Println("call", count)
	switch e.Do {
	case "fail":
		return answer{}, errors.New("as told")
	case "panic":
		panic("as told")
	case "exit":
		os.Exit(7)
	case "hang":
		<-make(chan struct{})
	case "meet": // wait until the test says that all are there
		resp, err := http.Get(os.Getenv("MEETING"))
		if err != nil {
			return answer{}, err
		}
		if err := resp.Body.Close(); err != nil {
			return answer{}, err
		}
	case "big":
		return answer{Text: strings.Repeat("x", e.Size)}, nil
	}
	about, _ := lambdacontext.FromContext(ctx)
	deadline, _ := ctx.Deadline()
	environment := map[string]string{}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		environment[name] = value
	}
	return answer{
		PID: os.Getpid(), Count: count, Environment: environment,
		RequestID: about.AwsRequestID, ARN: about.InvokedFunctionArn, LeftMS: time.Until(deadline).Milliseconds(),
	}, nil
}
