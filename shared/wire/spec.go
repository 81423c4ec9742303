package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"workerpool/shared/pool"
)

// document encodes what is stored. What HTML would need escaped is left as it
// is: nobody shows it as a page, and escaped it may be six times as long.
func document(v any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// Spec makes a work's Spec of its batch's stored template and its own stored
// item (nil when it has none).
func Spec(template, item []byte) (pool.Spec, error) {
	var t dealTemplate
	if err := json.Unmarshal(template, &t); err != nil {
		return pool.Spec{}, fmt.Errorf("reading a stored template: %w", err)
	}
	var i Item
	if len(item) > 0 {
		if err := json.Unmarshal(item, &i); err != nil {
			return pool.Spec{}, fmt.Errorf("reading a stored item: %w", err)
		}
	}
	spec := pool.Spec{
		App:  pool.App{Type: pool.AppType(t.App.Type), Name: t.App.Name},
		Args: append(append([]string{}, t.Args...), i.Args...),
		Env:  map[string]string{},
	}
	maps.Copy(spec.Env, t.Env)
	maps.Copy(spec.Env, i.Env)
	for _, in := range append(append([]Input{}, t.Inputs...), i.Inputs...) {
		spec.Inputs = append(spec.Inputs, in.pool())
	}
	for _, f := range t.Fetch {
		one, err := f.pool()
		if err != nil {
			return pool.Spec{}, fmt.Errorf("reading a stored template: %w", err)
		}
		spec.Fetches = append(spec.Fetches, one)
	}
	return spec, nil
}

// class is the stored form of a class's demands: the canonical text by which
// equal demands are recognised.
type class struct {
	AppType string `json:"app_type"`
	Program string `json:"program,omitempty"`
	RunS    int64  `json:"run_s"`
	Wallet  bool   `json:"wallet,omitempty"`
	Demands
}

// EncodeDemands gives the canonical text of a class: equal demands, equal bytes.
func EncodeDemands(d pool.Demands) ([]byte, error) {
	text, err := document(class{
		AppType: string(d.App.Type), Program: d.App.Name, RunS: int64(d.RunLimit / time.Second), Wallet: d.Wallet,
		Demands: Demands{
			CPU: d.CPU, MemoryMB: d.MemoryMB, DiskMB: d.DiskMB, GPU: d.GPU, TEE: d.TEE,
			Tags: d.Tags, NotTags: d.NotTags, OS: d.OS, Arch: d.Arch, MinVersion: d.MinVersion,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encoding demands: %w", err)
	}
	return text, nil
}

// DecodeDemands reads what EncodeDemands wrote.
func DecodeDemands(text []byte) (pool.Demands, error) {
	var c class
	if err := json.Unmarshal(text, &c); err != nil {
		return pool.Demands{}, fmt.Errorf("reading stored demands: %w", err)
	}
	d := c.Demands
	return pool.Demands{
		App: pool.App{Type: pool.AppType(c.AppType), Name: c.Program}, RunLimit: time.Duration(c.RunS) * time.Second, Wallet: c.Wallet,
		CPU: d.CPU, MemoryMB: d.MemoryMB, DiskMB: d.DiskMB, GPU: d.GPU, TEE: d.TEE,
		Tags: d.Tags, NotTags: d.NotTags, OS: d.OS, Arch: d.Arch, MinVersion: d.MinVersion,
	}, nil
}
