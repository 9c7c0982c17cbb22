// Package nodetest holds the tests that need whole nodes as processes: killed at named points and at random, beside real
// servers that are stopped as a power cut would. What one part of a node promises is tested beside that part; here is
// tested that the promise of the whole holds: what was acknowledged is there.
package nodetest
