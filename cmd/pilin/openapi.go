package main

import (
	"github.com/pilinhub/pilin/internal/node"
)

type openapiCmd struct{}

// Run prints the document that schemas/openapi.yaml holds.
func (openapiCmd) Run(out *printer) error {
	b, err := node.OpenAPI()
	if err != nil {
		return err
	}
	_, err = out.Write(b)
	return err
}
