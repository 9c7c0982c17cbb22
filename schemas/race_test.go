//go:build race

package schemas_test

import "time"

func init() { patience = 10 * time.Second }
