package httpapi

import (
	"context"
	"fmt"
	"sort"

	"github.com/pilinhub/pilin/blacklist"
	"github.com/pilinhub/pilin/internal/auth"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/workflow"
)

// appliedBy returns the end of those own records, from one sequence to before another, that every active member has
// applied: whoever has applied one has applied all before it.
func (h *people) appliedBy(ctx context.Context, from, to uint64) (uint64, error) {
	own := record.Stream(h.Directory.Self(), record.Records)
	var failed error
	n := sort.Search(int(to-min(from, to)), func(i int) bool { //nolint:gosec // a log's size
		_, missing, err := h.Coverage(ctx, own, from+uint64(i), h.Directory.Active()) //nolint:gosec // not negative
		if err != nil {
			failed = fmt.Errorf("read receipts: %w", err)
		}
		return err != nil || len(missing) > 0
	})
	return from + uint64(n), failed //nolint:gosec // not negative
}

// taken are the steps of which this bureau must know that they have reached everybody: until then somebody still shows
// what was taken back (行政处罚法 arts 48, 85: three working days).
var taken = map[workflow.Event]bool{
	blacklist.EventConfirm: true, blacklist.EventWithdraw: true, blacklist.EventSuspend: true, blacklist.EventCorrect: true,
	blacklist.EventVoid: true, blacklist.EventAnnul: true, blacklist.EventRepair: true, blacklist.EventLift: true,
}

// applied tells which of this bureau's withdrawals, suspensions and corrections all members have applied since the last
// look.
func (l *listening) applied(ctx context.Context) error {
	own := record.Stream(l.h.Directory.Self(), record.Records)
	end, err := l.h.appliedBy(ctx, l.at[appliedPlace], l.at[own]) // nothing is told as applied that was not told itself
	if err != nil {
		return err
	}
	for l.at[appliedPlace] < end {
		groups, err := l.h.Log.Groups(ctx, own, l.at[appliedPlace], noticePage)
		if err != nil || len(groups) == 0 {
			return err
		}
		for _, g := range groups {
			for i := range g.Records {
				st := &g.Records[i]
				if st.Seq < l.at[appliedPlace] || st.Seq >= end {
					continue
				}
				n, ok, err := l.h.noticeOf(ctx, st)
				if err != nil {
					return err
				}
				l.at[appliedPlace] = st.Seq + 1
				if !ok || n.Topic != auth.TopicEntry || !taken[workflow.Event(n.Event)] {
					continue
				}
				n.Topic = auth.TopicApplied
				if err := l.tell(ctx, n); err != nil {
					l.at[appliedPlace] = st.Seq
					return err
				}
			}
		}
	}
	return nil
}
