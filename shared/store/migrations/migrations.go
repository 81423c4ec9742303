// Package migrations holds the schema's steps, one statement a file: MySQL
// cannot take back half of a step. Steps only expand what the functions of the
// step before still read and write; taking away comes a release later.
package migrations

import "embed"

// Files are the steps in order of their numbers.
//
//go:embed *.sql
var Files embed.FS
