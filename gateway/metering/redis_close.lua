-- SPDX-License-Identifier: EUPL-1.2
-- A denial that lasts, in other teleservices of the account. KEYS: their states. ARGV: epoch key, epoch, name, value,
-- milliseconds to keep it for.
if redis.call('GET', ARGV[1]) ~= ARGV[2] then return redis.error_reply('EPOCH counts may be missing') end
for _, key in ipairs(KEYS) do
  redis.call('HSET', key, ARGV[3], ARGV[4])
  redis.call('PEXPIRE', key, string.format('%.0f', math.max(redis.call('PTTL', key), tonumber(ARGV[5]))))
end
return 1
