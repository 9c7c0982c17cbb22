// Package auth says who may act and what they may see: tokens between members, the sign-in of a bureau's own people,
// their roles, and the cut that decides which fields of a part a person is shown. Everything that decides is decided in
// SQL, through the interfaces of store.go, so that an emptied cache never turns a refusal into a permission.
//
// It leaves to record.Cut what leaves the node towards other members, to internal/httpapi how a token travels, and to
// internal/sqlstore how accounts, sessions and used ids are kept. It logs nothing and puts no name, number or token into
// an error.
package auth
