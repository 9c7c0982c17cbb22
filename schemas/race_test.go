//go:build race

package schemas_test

func init() { patience = 10 }
