// Package match breaks the import table on purpose: archtest must see it.
package match

import _ "net/http"
