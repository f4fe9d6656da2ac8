-- SPDX-License-Identifier: EUPL-1.2
-- A look-up that is given back: its places, unless somebody has looked at the same person since, and a miss if it was one.
-- KEYS: as in redis_hit.lua. ARGV: epoch key, epoch, pseudonym, missed, sites; of each site: bucketed, span kept of
-- misses, and what the hit took and what stood there before: people, its former, new, its former; then spans of missed
-- in buckets, each of a site; then buckets taken: key's place, name, stretch.

local function text(number) return string.format('%.0f', number) end

if redis.call('GET', ARGV[1]) ~= ARGV[2] then return 0 end
local who, missed = ARGV[3], ARGV[4] == '1'
local BUCKETS, RING, DAY = 60, 64, 86400000
local position = 6
local function word() position = position + 1; return ARGV[position - 1] end
local function number() return tonumber(word()) end

local function back(key, former)
  if former < 0 then redis.call('ZREM', key, who) else redis.call('ZADD', key, string.format('%.17g', former), who) end
end

local latest, sites = 0, {}
for index = 1, tonumber(ARGV[5]) do
  local key = 4 * index - 3
  local site = {bucketed = word() == '1', people = KEYS[key], new = KEYS[key + 1], missed = KEYS[key + 2],
    state = KEYS[key + 3], keep = number(), took = number(), former = number(), first = number(), before = number()}
  site.latest = tonumber(redis.call('HGET', site.state, 't') or '0')
  if not site.bucketed then
    local top = redis.call('ZREVRANGE', site.people, 0, 0, 'WITHSCORES')
    site.latest = math.max(site.latest, math.floor(tonumber(top[2] or '0')))
    latest = math.max(latest, site.latest)
  end
  sites[index] = site
end
latest = math.max(latest, sites[1].latest)

for _, site in ipairs(sites) do
  if site.took > 0 and tonumber(redis.call('ZSCORE', site.people, who) or '-1') == site.took then
    -- The time stands even if the one who set it goes.
    redis.call('HSET', site.state, 't', text(site.latest))
    redis.call('PEXPIRE', site.state, text(math.max(redis.call('PTTL', site.people), redis.call('PTTL', site.state))))
    back(site.people, site.former)
    if site.first > 0 and tonumber(redis.call('ZSCORE', site.new, who) or '-1') == site.first then
      back(site.new, site.before)
    end
  end
  if missed and site.keep > 0 and not site.bucketed then
    redis.call('ZADD', site.missed, text(latest), who)
    redis.call('ZREMRANGEBYSCORE', site.missed, '-inf', '(' .. text(latest - site.keep + 1))
    redis.call('PEXPIRE', site.missed, text(math.ceil(site.keep / 1000) + DAY))
  end
end

local function in_bucket(key, name, index)
  local of, total = string.match(redis.call('HGET', key, name) or '', '^(%d+) (%d+)$')
  return of and tonumber(of) == index and tonumber(total) or 0
end

for _ = 1, number() do
  local site, span = sites[number()], number()
  if missed then
    local index = math.floor(latest / math.ceil(span / BUCKETS))
    local name = text(span) .. ':' .. text(index % RING)
    redis.call('HSET', site.missed, name, text(index) .. ' ' .. text(in_bucket(site.missed, name, index) + 1))
    local left = math.max(redis.call('PTTL', site.missed), math.ceil(span / 1000) + DAY)
    redis.call('PEXPIRE', site.missed, text(left))
  end
end

for _ = 1, number() do
  local key, name, index = KEYS[number()], word(), number()
  local total = in_bucket(key, name, index)
  if total > 0 then redis.call('HSET', key, name, text(index) .. ' ' .. text(total - 1)) end
end
return 1
