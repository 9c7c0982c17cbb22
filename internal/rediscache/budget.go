package rediscache

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/pilinhub/pilin/internal/budget"
)

// take counts a request by all its limits or by none, in one step. It works on microseconds of the node's clock, so that
// the machine of Redis need not agree. KEYS are the rates, then the sets; ARGV: nonce, now, number of rates, for each rate
// its interval and burst, for each set item, size and microseconds until it ends.
var take = redis.NewScript(`
local now, rates = tonumber(ARGV[2]), tonumber(ARGV[3])
local arg, done = 4, {}
for i = 1, rates do
  local every, ahead = tonumber(ARGV[arg]), tonumber(ARGV[arg]) * tonumber(ARGV[arg + 1])
  local was = math.min(tonumber(redis.call('GET', KEYS[i]) or '0') or 0, now + ahead)
  done[i] = math.max(was, now) + every
  if done[i] - now > ahead then
    return {ARGV[1], tostring(i), string.format('%.0f', done[i] - now - ahead)}
  end
  arg = arg + 2
end
local sets = arg
for i = rates + 1, #KEYS do
  if redis.call('SISMEMBER', KEYS[i], ARGV[arg]) == 0 and redis.call('SCARD', KEYS[i]) >= tonumber(ARGV[arg + 1]) then
    return {ARGV[1], tostring(i), ARGV[arg + 2]}
  end
  arg = arg + 3
end
for i = 1, rates do
  redis.call('SET', KEYS[i], string.format('%.0f', done[i]), 'PX', string.format('%.0f', math.ceil((done[i] - now) / 1000) + 1))
end
arg = sets
for i = rates + 1, #KEYS do
  redis.call('SADD', KEYS[i], ARGV[arg])
  redis.call('PEXPIRE', KEYS[i], string.format('%.0f', math.ceil(tonumber(ARGV[arg + 2]) / 1000) + 1))
  arg = arg + 3
end
return {ARGV[1], '0', '0'}
`)

// Take is budget.SharedFunc: it counts a request in Redis. What Redis had counted and lost is granted again by it; that
// is why it is not asked alone.
func (c *Cache) Take(ctx context.Context, r budget.Request) (budget.Verdict, error) {
	var nonce [12]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return budget.Verdict{}, fmt.Errorf("take from budget: %w", err)
	}
	mine := hex.EncodeToString(nonce[:])
	args := []any{mine, r.At.UnixMicro(), len(r.Rates)}
	var keys, names []string
	for _, rate := range r.Rates {
		keys, names = append(keys, c.prefix+"budget:"+rate.Key), append(names, rate.Name)
		args = append(args, rate.Every.Microseconds(), rate.Burst)
	}
	for _, s := range r.Sets {
		keys, names = append(keys, c.prefix+"budget:"+s.Key), append(names, s.Name)
		args = append(args, s.Item, s.Size, s.Until.Sub(r.At).Microseconds())
	}
	got, err := take.Run(ctx, c.c, keys, args...).StringSlice()
	if err != nil {
		return budget.Verdict{}, fmt.Errorf("take from budget: %w", err)
	}
	if len(got) != 3 || got[0] != mine { // a crossed reply is never taken for ours
		return budget.Verdict{}, errors.New("take from budget: answer to another question")
	}
	var which int
	var wait int64
	if _, err := fmt.Sscan(got[1]+" "+got[2], &which, &wait); err != nil || which < 0 || which > len(names) {
		return budget.Verdict{}, errors.New("take from budget: unreadable answer")
	}
	if which == 0 {
		return budget.Verdict{}, nil
	}
	return budget.Verdict{Refused: names[which-1], Retry: time.Duration(wait) * time.Microsecond}, nil
}
