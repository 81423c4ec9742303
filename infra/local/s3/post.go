package s3

import (
	"encoding/xml"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"workerpool/infra/local/sigv4"
)

// maxFields bounds all fields before the file, in bytes.
const maxFields = 20 << 10

// postObject takes an upload form. Its policy must be signed, unexpired, and
// allow every field; the file is the last part that is looked at.
func (b *Buckets) postObject(c call) error {
	parts, err := c.r.MultipartReader()
	if err != nil {
		return refuse(http.StatusPreconditionFailed, "PreconditionFailed", "Bucket POST must be of the enclosure-type multipart/form-data")
	}
	form, file, err := readForm(parts)
	if err != nil {
		return err
	}
	if err := checkFields(form); err != nil {
		return err
	}
	if err := b.verifier.CheckText(form["x-amz-credential"], form["x-amz-signature"], form["policy"]); err != nil {
		return err
	}
	p, err := parsePolicy(form["policy"])
	if err != nil {
		return err
	}
	if err := p.allows(form, c.name, b.now()); err != nil {
		return err
	}
	if form["success_action_redirect"] != "" || form["redirect"] != "" {
		return refuse(http.StatusNotImplemented, "NotImplemented", "Redirects after an upload are not known here.")
	}
	header := http.Header{}
	for name, value := range form {
		header.Set(name, value)
	}
	a, err := c.store(upload{key: form["key"], body: file, header: header, min: p.min, max: p.max,
		trailer: func() http.Header { return nil }})
	if err != nil {
		return err
	}
	c.posted(form, a)
	return nil
}

// signedFields stand in every signed form.
var signedFields = []string{"policy", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"}

// checkFields refuses forms that are not signed and those that lack a part of it.
func checkFields(form map[string]string) error {
	lacks := func(field string) bool { return form[field] == "" }
	required := append([]string{"key"}, signedFields...)
	if !slices.ContainsFunc(signedFields, func(field string) bool { return !lacks(field) }) {
		required = []string{"key"}
	}
	if i := slices.IndexFunc(required, lacks); i >= 0 {
		return refuse(http.StatusBadRequest, "InvalidArgument",
			"Bucket POST must contain a field named '%s'.  If it is specified, please check the order of the fields.", required[i])
	}
	switch form["x-amz-algorithm"] {
	case sigv4.Algorithm:
		return nil
	case "":
		return denied("Access Denied")
	}
	return refuse(http.StatusBadRequest, "InvalidArgument", "X-Amz-Algorithm only supports %q", sigv4.Algorithm)
}

// readForm reads the fields, their names in lower case, up to the file.
func readForm(parts *multipart.Reader) (map[string]string, io.Reader, error) {
	form, left := map[string]string{}, int64(maxFields)
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil, nil, refuse(http.StatusBadRequest, "InvalidArgument", "POST requires exactly one file upload per request.")
		}
		if err != nil {
			return nil, nil, refuse(http.StatusBadRequest, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			return form, part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, left+1))
		if err != nil {
			return nil, nil, refuse(http.StatusBadRequest, "MalformedPOSTRequest", "The body of your POST request is not well-formed multipart/form-data.")
		}
		if left -= int64(len(name) + len(value)); left < 0 {
			return nil, nil, refuse(http.StatusBadRequest, "MaxPostPreDataLengthExceeded", "Your POST request fields preceding the upload file were too large.")
		}
		if _, twice := form[name]; twice {
			return nil, nil, refuse(http.StatusBadRequest, "InvalidArgument", "POST requires at most one field %s.", name)
		}
		form[name] = string(value)
	}
}

// posted answers a finished upload with the status the form asked for.
func (c call) posted(form map[string]string, a about) {
	location := "http://" + c.r.Host + "/" + c.name + "/" + sigv4.Escape(form["key"], "/")
	c.w.Header().Set("ETag", `"`+a.ETag+`"`)
	c.w.Header().Set("Location", location)
	switch form["success_action_status"] {
	case "200":
		c.w.WriteHeader(http.StatusOK)
	case "201":
		writeXML(c.w, http.StatusCreated, struct {
			XMLName                     xml.Name `xml:"PostResponse"`
			Location, Bucket, Key, ETag string
		}{Location: location, Bucket: c.name, Key: form["key"], ETag: `"` + a.ETag + `"`})
	default:
		c.w.WriteHeader(http.StatusNoContent)
	}
}
