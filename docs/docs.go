// Package docs carries the documents that the pool serves itself. It owns
// nothing but their bytes.
package docs

import _ "embed"

// OpenAPI is the description of the pool's routes, in YAML.
//
//go:embed openapi.yaml
var OpenAPI []byte
