package web

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"workerpool/shared/pool"
)

// checker walks a valid JSON text along a Go type and refuses what
// encoding/json would let pass or could not locate. It relies on the text
// having been found valid, and so looks only at what tells values apart.
type checker struct {
	src  []byte
	pos  int
	path []step
}

// step is one part of a path: a property's name, or a place in a list.
type step struct {
	name   string
	index  int
	inList bool
}

var (
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	plainName           = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
)

// value checks the next value against a type; nil takes anything.
func (c *checker) value(t reflect.Type) error {
	if len(c.path) > maxDepth {
		return c.refuse("is nested more than %d deep", maxDepth)
	}
	c.space()
	if t != nil && (reflect.PointerTo(t).Implements(unmarshalerType) || reflect.PointerTo(t).Implements(textUnmarshalerType)) {
		t = nil
	}
	if t != nil && t.Kind() == reflect.Interface {
		t = nil
	}
	if c.src[c.pos] == 'n' {
		return c.null(t)
	}
	if t != nil && t.Kind() == reflect.Pointer {
		return c.value(t.Elem())
	}
	switch c.src[c.pos] {
	case '{':
		return c.object(t)
	case '[':
		return c.list(t)
	case '"':
		return c.text(t)
	case 't', 'f':
		return c.truth(t)
	}
	return c.number(t)
}

func (c *checker) null(t reflect.Type) error {
	c.pos += len("null")
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Map:
		return nil
	case reflect.Pointer: // to an object: left out; to a plain value: null is none of its values
		if t = t.Elem(); t.Kind() == reflect.Struct {
			return nil
		}
	}
	return c.refuse("must be %s, not null", describe(t))
}

func (c *checker) object(t reflect.Type) error {
	var known map[string]reflect.Type // of a struct
	var each reflect.Type             // of a map
	if t != nil {
		switch t.Kind() {
		case reflect.Struct:
			known = properties(t)
		case reflect.Map:
			each = t.Elem()
		default:
			return c.refuse("must be %s", describe(t))
		}
	}
	seen := map[string]bool{}
	for c.more('{', '}') {
		name := c.name()
		c.path = append(c.path, step{name: name})
		of := each
		if known != nil {
			var ok bool
			if of, ok = known[name]; !ok {
				return c.refuse("is not a known property")
			}
		}
		if seen[name] {
			return c.refuse("is given more than once")
		}
		seen[name] = true
		c.space()
		c.pos++ // the colon
		if err := c.value(of); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}

func (c *checker) list(t reflect.Type) error {
	var each reflect.Type
	if t != nil {
		if t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.Uint8 {
			return c.refuse("must be %s", describe(t))
		}
		each = t.Elem()
	}
	for i := 0; c.more('[', ']'); i++ {
		c.path = append(c.path, step{index: i, inList: true})
		if err := c.value(each); err != nil {
			return err
		}
		c.path = c.path[:len(c.path)-1]
	}
	return nil
}

// more moves to the next element of a list or object, or behind its end.
func (c *checker) more(open, end byte) bool {
	c.space()
	opened := c.src[c.pos] == open
	if opened || c.src[c.pos] == ',' {
		c.pos++
		c.space()
		if opened && c.src[c.pos] == end {
			c.pos++
			return false
		}
		return true
	}
	c.pos++
	return false
}

func (c *checker) text(t reflect.Type) error {
	c.skipText()
	if t == nil || t.Kind() == reflect.String || (t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8) {
		return nil
	}
	return c.refuse("must be %s", describe(t))
}

func (c *checker) truth(t reflect.Type) error {
	if t != nil && t.Kind() != reflect.Bool {
		return c.refuse("must be %s", describe(t))
	}
	if c.src[c.pos] == 't' {
		c.pos += len("true")
	} else {
		c.pos += len("false")
	}
	return nil
}

func (c *checker) number(t reflect.Type) error {
	start := c.pos
	for c.pos < len(c.src) && strings.IndexByte("+-0123456789.eE", c.src[c.pos]) >= 0 {
		c.pos++
	}
	if t == nil {
		return nil
	}
	text := string(c.src[start:c.pos])
	var err error
	switch t.Kind() {
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		_, err = strconv.ParseInt(text, 10, t.Bits())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		_, err = strconv.ParseUint(text, 10, t.Bits())
	case reflect.Float32, reflect.Float64:
		_, err = strconv.ParseFloat(text, t.Bits())
	default:
		return c.refuse("must be %s", describe(t))
	}
	if errors.Is(err, strconv.ErrRange) {
		return c.refuse("is out of range")
	}
	if err != nil {
		return c.refuse("must be %s", describe(t))
	}
	return nil
}

func (c *checker) space() {
	for c.pos < len(c.src) && strings.IndexByte(" \t\r\n", c.src[c.pos]) >= 0 {
		c.pos++
	}
}

func (c *checker) skipText() {
	for c.pos++; c.src[c.pos] != '"'; c.pos++ {
		if c.src[c.pos] == '\\' {
			c.pos++
		}
	}
	c.pos++
}

func (c *checker) name() string {
	start := c.pos
	c.skipText()
	quoted := c.src[start:c.pos]
	name := string(quoted[1 : len(quoted)-1])
	if strings.IndexByte(name, '\\') >= 0 {
		_ = json.Unmarshal(quoted, &name) // cannot fail: the text is valid
	}
	return name
}

func (c *checker) refuse(format string, args ...any) error {
	subject := "this property "
	if len(c.path) == 0 {
		subject = "the body "
	}
	return pool.Refuse(pool.Invalid, c.field(), "%s", subject+fmt.Sprintf(format, args...))
}

// field writes the path as in "items[3].args"; names that are no plain words
// are quoted and cut.
func (c *checker) field() string {
	var out strings.Builder
	for i, s := range c.path {
		switch {
		case s.inList:
			fmt.Fprintf(&out, "[%d]", s.index)
		case !plainName.MatchString(s.name):
			fmt.Fprintf(&out, "[%.66q]", s.name)
		case i > 0:
			out.WriteString("." + s.name)
		default:
			out.WriteString(s.name)
		}
	}
	return out.String()
}

// describe says in words what a type takes.
func describe(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return "a string in base64"
		}
		return "a list"
	}
	if t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64 {
		return "a whole number that is not negative"
	}
	return "a whole number"
}

var cached sync.Map // reflect.Type -> map[string]reflect.Type

// properties lists the JSON names of a struct's fields with their types.
func properties(t reflect.Type) map[string]reflect.Type {
	if known, ok := cached.Load(t); ok {
		return known.(map[string]reflect.Type)
	}
	known := map[string]reflect.Type{}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("json")
		name, _, _ := strings.Cut(tag, ",")
		if !f.IsExported() || tag == "-" || (f.Anonymous && name == "") {
			continue
		}
		if name == "" {
			name = f.Name
		}
		known[name] = f.Type
	}
	cached.Store(t, known)
	return known
}
