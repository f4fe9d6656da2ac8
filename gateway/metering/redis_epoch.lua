-- SPDX-License-Identifier: EUPL-1.2
-- Counts are being gathered, or are whole again: say so, if the lock is still ours. KEYS: epoch. ARGV: lock key (empty:
-- held elsewhere), token, epoch, milliseconds to hold the lock for.
if ARGV[1] ~= '' then
  if redis.call('GET', ARGV[1]) ~= ARGV[2] then return 0 end
  redis.call('PEXPIRE', ARGV[1], ARGV[4])
end
redis.call('SET', KEYS[1], ARGV[3])
return 1
