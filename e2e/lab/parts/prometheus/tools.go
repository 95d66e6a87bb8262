//go:build tools

// Package prometheus pins the program that the lab builds.
package prometheus

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
)
