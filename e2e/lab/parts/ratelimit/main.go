// Command ratelimit is Envoy's rate limit service as it is. It counts in the Redis that REDIS_URL names; without one,
// in a Redis of its own, in memory.
package main

import (
	"fmt"
	"log"
	"os"
	"runtime/debug"

	"github.com/alicebob/miniredis/v2"
	"github.com/envoyproxy/ratelimit/src/service_cmd/runner"
	"github.com/envoyproxy/ratelimit/src/settings"
)

const module = "github.com/envoyproxy/ratelimit"

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println("ratelimit", version())
		return
	}
	if os.Getenv("REDIS_URL") == "" {
		redis, err := miniredis.Run()
		if err != nil {
			log.Fatal(err)
		}
		os.Setenv("REDIS_SOCKET_TYPE", "tcp")
		os.Setenv("REDIS_URL", redis.Addr())
	}
	service := runner.NewRunner(settings.NewSettings())
	service.Run()
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "unknown"
}
