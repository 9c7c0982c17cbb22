package node

import "context"

// services are what people and members reach over HTTP.
type services struct{}

func (n *Node) buildServices(context.Context) error { return nil }

type listening struct{}

func (n *Node) listen() (listening, error) { return listening{}, nil }

func (listening) serve(ctx context.Context) error { <-ctx.Done(); return nil }
