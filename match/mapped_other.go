//go:build !unix

package match

import "os"

// mapFile reads a file where it cannot be mapped.
func mapFile(path string) (b []byte, unmap func(), err error) {
	b, err = os.ReadFile(path)
	return b, func() {}, err
}

// outside gives no memory where it cannot be mapped.
func outside(int) (b []byte, free func()) { return nil, nil }
