//go:build tools

// Package etcd pins the program that the lab builds.
package etcd

import _ "go.etcd.io/etcd/server/v3"
