// Package stray is not in the import table: archtest must see it.
package stray
