// Package pool is the vocabulary: works, assignments, workers, accounts, their
// states and the kinds of errors. It owns words, units and transition tables; it
// must not read a clock, draw a number, reach a technology or import anything
// but the standard library.
package pool
