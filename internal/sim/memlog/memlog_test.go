package memlog_test

import (
	"testing"

	"github.com/pilinhub/pilin/internal/sim/memlog"
	"github.com/pilinhub/pilin/record"
	"github.com/pilinhub/pilin/record/recordtest"
)

func TestMemlog_IsALog(t *testing.T) {
	recordtest.Run(t, func(_ *testing.T, c recordtest.Config) record.Log {
		return memlog.New(memlog.Config{Self: c.Self, Federation: c.Federation, Sealer: c.Sealer, Signer: c.Signer, Charter: c.Charter})
	})
}
