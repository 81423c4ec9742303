// The functions of the tests, all in one: a ring (POST /rings or a tick) goes
// through the queue and becomes a file in the bucket, which GET /files/{name}
// shows. The clients are made from the standard environment alone.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

type event struct {
	RouteKey       string
	PathParameters map[string]string
	Body           string
	Ring           string
	Records        []struct{ Body string }
}

type function struct {
	rings   *sqs.Client
	files   *s3.Client
	secrets *secretsmanager.Client
}

func main() {
	c, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		panic(err)
	}
	f := function{
		rings: sqs.NewFromConfig(c, func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} }),
		files: s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }), secrets: secretsmanager.NewFromConfig(c),
	}
	lambda.Start(f.handle)
}

func (f function) handle(ctx context.Context, e event) (any, error) {
	switch {
	case len(e.Records) > 0:
		for _, r := range e.Records {
			if err := f.keep(ctx, r.Body); err != nil {
				return nil, err
			}
		}
		return map[string]any{"batchItemFailures": []any{}}, nil
	case e.Ring != "":
		return nil, f.ring(ctx, e.Ring)
	case e.RouteKey == "POST /rings":
		return map[string]int{"statusCode": 202}, f.ring(ctx, e.Body)
	case e.RouteKey == "GET /files/{name}":
		return f.show(ctx, e.PathParameters["name"])
	}
	return fmt.Sprintf("%s from %d", os.Getenv("GREETING"), os.Getpid()), nil
}

func (f function) ring(ctx context.Context, text string) error {
	_, err := f.rings.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: aws.String(os.Getenv("QUEUEURL")), MessageBody: &text})
	return err
}

// keep writes the file named by the ring: where the database is and the secrets.
func (f function) keep(ctx context.Context, name string) error {
	content := os.Getenv("DBHOST")
	for _, id := range []string{"ADMINSECRET", "TOKENSECRET"} {
		out, err := f.secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(os.Getenv(id))})
		if err != nil {
			return err
		}
		content += " " + aws.ToString(out.SecretString)
	}
	_, err := f.files.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(os.Getenv("BUCKET")), Key: &name, Body: strings.NewReader(content)})
	return err
}

func (f function) show(ctx context.Context, name string) (any, error) {
	out, err := f.files.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(os.Getenv("BUCKET")), Key: &name})
	if err != nil {
		return map[string]int{"statusCode": 404}, nil
	}
	defer out.Body.Close()
	content, err := io.ReadAll(out.Body)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(string(content))
	return map[string]any{"statusCode": 200, "body": string(body)}, err
}
