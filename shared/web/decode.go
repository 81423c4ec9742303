package web

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf8"

	"workerpool/shared/pool"
)

// maxDepth bounds how deep lists and objects may be nested.
const maxDepth = 32

// Decode reads the request's body of at most limit bytes as one JSON value into
// the struct that into points to, and gives the bytes it read. It is strict:
// the content type is application/json, every property is known, written in its
// exact case and given once, and every value has the right type and range; the
// error names the path of the first that does not, such as "items[3].args".
// Errors are pool.Unsupported, pool.TooLarge and pool.Invalid.
func Decode(r *http.Request, limit int64, into any) ([]byte, error) {
	if err := checkType(r.Header); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, &pool.Error{Kind: pool.Invalid, Message: "the body could not be read to its end", Cause: err}
	}
	if int64(len(body)) > limit {
		return nil, pool.Refuse(pool.TooLarge, "", "the body may have %d bytes at most", limit)
	}
	if err := unmarshal(body, into); err != nil {
		return nil, err
	}
	return body, nil
}

func checkType(h http.Header) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "application/json" || (charset != "" && charset != "utf-8") {
		return pool.Refuse(pool.Unsupported, "", "the content type must be application/json")
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return pool.Refuse(pool.Unsupported, "", "the body may not be compressed")
	}
	return nil
}

func unmarshal(body []byte, into any) error {
	if len(body) == 0 {
		return pool.Refuse(pool.Invalid, "", "a JSON body is needed")
	}
	if !utf8.Valid(body) {
		return pool.Refuse(pool.Invalid, "", "the body is not UTF-8")
	}
	if !json.Valid(body) {
		var syntax *json.SyntaxError
		if err := json.Unmarshal(body, &json.RawMessage{}); errors.As(err, &syntax) {
			return pool.Refuse(pool.Invalid, "", "the body is not one JSON value: %s at byte %d", syntax.Error(), syntax.Offset)
		}
		return pool.Refuse(pool.Invalid, "", "the body is not one JSON value")
	}
	c := checker{src: body}
	if err := c.value(reflect.TypeOf(into).Elem()); err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &pool.Error{Kind: pool.Invalid, Message: "the body has a value of the wrong form", Cause: err}
	}
	return nil
}
