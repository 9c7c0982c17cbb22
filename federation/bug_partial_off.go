//go:build !bug_partial_cached

package federation

import "github.com/pilinhub/pilin/record"

// partialCache keeps nothing: no answer is ever used twice. A build with the tag bug_partial_cached has one that does, to
// prove that the simulation finds it.
type partialCache struct{}

func (*partialCache) keep(*Answer, record.MemberID, *answerText) {}

func (*partialCache) standIn(_ *Answer, m MemberAnswer) (*answerText, MemberAnswer) { return nil, m }
