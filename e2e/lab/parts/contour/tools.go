//go:build tools

// Package contour pins the program that the lab builds.
package contour

import _ "github.com/projectcontour/contour/cmd/contour"
