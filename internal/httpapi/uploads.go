package httpapi

import (
	"net/http"
	"time"
)

// Bounds of uploads at once. A file stands in memory while its request lasts: twenty times what any other body may have.
const (
	maxUploads   = 8
	maxUploadsOf = 4 // of an account
)

// admitUpload lets a file in only from somebody who is signed in, and only so many at once; everything else passes. It is
// asked before the body is read.
func (h *people) admitUpload(r *http.Request) (leave func(), err error) {
	if !isUpload(r) {
		return func() {}, nil
	}
	token, err := h.tokenOf(r)
	if err != nil {
		return nil, err
	}
	who, err := h.People.Verify(r.Context(), token)
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	all := 0
	for _, n := range h.uploads {
		all += n
	}
	if all >= maxUploads || h.uploads[who.Account] >= maxUploadsOf {
		busy := problem("rate_limited")
		busy.retryAfter = time.Second
		return nil, busy
	}
	h.uploads[who.Account]++
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.uploads[who.Account]--; h.uploads[who.Account] == 0 {
			delete(h.uploads, who.Account)
		}
	}, nil
}
