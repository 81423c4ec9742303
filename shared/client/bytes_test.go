package client_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"workerpool/shared/client"
	"workerpool/shared/wire"
)

func bucket(t *testing.T, serve http.HandlerFunc) (*client.Client, string) {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	c, err := client.New(client.Config{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	return c, server.URL
}

func TestUploadSendsFieldsThenFile(t *testing.T) {
	content := strings.Repeat("result ", 100_000)
	c, url := bucket(t, func(w http.ResponseWriter, r *http.Request) {
		_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil {
			t.Error(err)
		}
		if r.ContentLength <= int64(len(content)) || r.Header.Get("Authorization") != "" {
			t.Errorf("length %d, authorization %q", r.ContentLength, r.Header.Get("Authorization"))
		}
		var order []string
		form := multipart.NewReader(r.Body, params["boundary"])
		for {
			part, err := form.NextPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Error(err)
				break
			}
			text, err := io.ReadAll(part)
			if err != nil {
				t.Error(err)
			}
			if part.FormName() == "file" && string(text) != content {
				t.Errorf("the file has %d bytes", len(text))
			}
			if part.FormName() != "file" {
				order = append(order, part.FormName()+"="+string(text))
				continue
			}
			order = append(order, "file")
		}
		if got := strings.Join(order, " "); got != "key=results/1 policy=p x-amz-signature=s file" {
			t.Errorf("got %s", got)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	link := wire.Link{URL: url + "/bucket", Fields: map[string]string{"x-amz-signature": "s", "key": "results/1", "policy": "p"}}
	// Readers that know their length are not told from those that do not.
	if err := c.Upload(t.Context(), link, iotest.HalfReader(strings.NewReader(content)), int64(len(content))); err != nil {
		t.Error(err)
	}
}

func TestUploadOfOtherThanStated(t *testing.T) {
	c, url := bucket(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // breaks off when the sender does
		w.WriteHeader(http.StatusNoContent)
	})
	tests := []struct {
		name    string
		content io.Reader
		wrong   error
	}{
		{"short", strings.NewReader("123"), client.ErrContent},
		{"long", strings.NewReader("12345"), client.ErrContent},
		{"unreadable", iotest.ErrReader(io.ErrClosedPipe), io.ErrClosedPipe},
	}
	for _, test := range tests {
		err := c.Upload(t.Context(), wire.Link{URL: url}, test.content, 4)
		if !errors.Is(err, test.wrong) || client.MayRetry(err) {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
	if err := c.Upload(t.Context(), wire.Link{URL: url}, strings.NewReader(""), 0); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestUploadRefused(t *testing.T) {
	c, url := bucket(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "<Error><Code>EntityTooLarge</Code><Message>too large</Message></Error>")
	})
	err := c.Upload(t.Context(), wire.Link{URL: url + "/b?secret=1"}, strings.NewReader("1"), 1)
	var e *client.Error
	if !errors.As(err, &e) || e.Problem.Code != "EntityTooLarge" || e.MayRetry() || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

func TestLinksStayOutOfErrors(t *testing.T) {
	c, _ := bucket(t, nil)
	for _, link := range []string{"http://127.0.0.1:1/b?secret=1", "http://[::1/?secret=1", "gopher://x/?secret=1"} {
		for _, err := range []error{
			c.Upload(t.Context(), wire.Link{URL: link}, strings.NewReader(""), 0),
			c.Download(t.Context(), link, io.Discard, "", 0),
		} {
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v", err)
			}
		}
	}
}

func TestDownload(t *testing.T) {
	const content = "the bytes"
	sum := sha256.Sum256([]byte(content))
	digest := hex.EncodeToString(sum[:])
	tests := []struct {
		name    string
		serve   http.HandlerFunc
		digest  string
		size    int64
		content bool // fails with ErrContent
		status  int
		retry   bool
	}{
		{"right", send(content, false), digest, 9, false, 0, false},
		{"right, chunked", send(content, true), strings.ToUpper(digest), 9, false, 0, false},
		{"other digest", send("the BYTES", false), digest, 9, true, 0, false},
		{"longer, announced", send(content+"x", false), digest, 9, true, 0, false},
		{"longer, chunked", send(content+"x", true), digest, 9, true, 0, false},
		{"shorter, chunked", send("the", true), digest, 9, true, 0, false},
		{"broken off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "the")
		}, digest, 9, false, 0, true},
		{"expired", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, digest, 9, false, 403, false},
		{"busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, digest, 9, false, 503, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, url := bucket(t, test.serve)
			var got bytes.Buffer
			err := c.Download(t.Context(), url+"/r?sig=1", &got, test.digest, test.size)
			good := !test.content && test.status == 0 && !test.retry
			switch {
			case good && (err != nil || got.String() != content):
				t.Errorf("got %q, %v", got.String(), err)
			case !good && err == nil:
				t.Error("taken as right")
			}
			if errors.Is(err, client.ErrContent) != test.content || client.Status(err) != test.status || client.MayRetry(err) != test.retry {
				t.Errorf("got %v", err)
			}
			if int64(got.Len()) > test.size {
				t.Errorf("%d bytes were written", got.Len())
			}
		})
	}
}

func send(content string, chunked bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if chunked {
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, content)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestDownloadToAFullDiskIsNoNetworkFailure(t *testing.T) {
	c, url := bucket(t, send("x", false))
	if err := c.Download(t.Context(), url, fullDisk{}, "", 1); !errors.Is(err, io.ErrShortWrite) || client.MayRetry(err) {
		t.Errorf("got %v", err)
	}
}
