//go:build tools

// Package metallb pins the program that the lab builds.
package metallb

import _ "go.universe.tf/metallb/speaker"
