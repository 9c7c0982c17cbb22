// Package bench measures the engine of package match at the sizes of its goals, beside PostgreSQL on the same data. All of
// it is tests: `make match-bench`.
package bench
