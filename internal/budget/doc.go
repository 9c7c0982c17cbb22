// Package budget holds how many questions an officer and a member may put to this node, and about how many distinct
// subjects in a day (domain.md L35), and how many other requests a member's node may send. The counts stand in a shared store (Redis), which may be emptied or gone at any
// moment, and always in this process as well: so an emptied store gives nobody anything back, and a lost one makes the
// limits stricter, never looser. Nothing personal is kept: whoever asks and whatever is asked about is a keyed hash.
package budget
