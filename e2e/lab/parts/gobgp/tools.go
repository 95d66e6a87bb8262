//go:build tools

// Package gobgp pins the programs that the lab builds.
package gobgp

import (
	_ "github.com/osrg/gobgp/v4/cmd/gobgp"
	_ "github.com/osrg/gobgp/v4/cmd/gobgpd"
)
