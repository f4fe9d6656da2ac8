-- SPDX-License-Identifier: EUPL-1.2
-- One look-up at all its sites, as metering/budget.py says it: all budgets are asked, then all count it or none does.
-- KEYS: four of each site: people, new, missed (sorted sets of pseudonyms by microseconds, or buckets), state (a hash).
-- ARGV: epoch key, epoch, at, proved, level, pseudonym, known span, moved, mode (0 asks, 1 hits, 2 counts a miss),
-- risk, last seen and new by the account (where known is -1: sites without their account), proofs by some methods.
-- Before all this stands `local sites = ...`, the words of one policy (redis_plan), so that they do not travel. act: 0 observed, 1 alert, 2 delay, 3 challenge, 4 deny.
-- Moments stay below 2^51, where a double is exact to a quarter. The first write is one that Redis refuses when it is full.

local function text(number) return string.format('%.0f', number) end
local function exact(number) return string.format('%.17g', number) end

if redis.call('GET', ARGV[1]) ~= ARGV[2] then return redis.error_reply('EPOCH counts may be missing') end
local at, proved, level = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local who, known, moved, mode = ARGV[6], tonumber(ARGV[7]), ARGV[8] == '1', tonumber(ARGV[9])
local risk, account_saw, new = tonumber(ARGV[10]), tonumber(ARGV[11]), ARGV[12] == '1'
local BUCKETS, RING, DAY = 60, 64, 86400000

local budgets, proofs = {}, {}
for index, site in ipairs(sites) do
  local key = 4 * index - 3
  site.at, site.people, site.new, site.missed, site.state = key, KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3]
  for _, one in ipairs(site.budgets) do
    one.site = site
    budgets[#budgets + 1] = one
  end
end
for index = 13, #ARGV do proofs[index - 12] = tonumber(ARGV[index]) end

-- The time of all sites never steps back, and a proof from the future tells that the clock did.
local now = math.max(at, proved)
for _, site in ipairs(sites) do
  site.kept = {}
  local kept = redis.call('HGETALL', site.state)
  for index = 1, #kept, 2 do site.kept[kept[index]] = kept[index + 1] end
  site.latest = tonumber(site.kept.t or '0')
  if not site.bucketed then
    local top = redis.call('ZREVRANGE', site.people, 0, 0, 'WITHSCORES')
    if top[2] then site.latest = math.max(site.latest, math.floor(tonumber(top[2]))) end
    site.saw = tonumber(redis.call('ZSCORE', site.people, who) or '-1')
  end
  now = math.max(now, site.latest)
end
-- The proof since when people count for a budget; one from a time that is still to come opens no stretch.
for _, one in ipairs(budgets) do
  one.since = one.proof == 0 and 0 or one.proof == 1 and proved or proofs[one.proof - 1]
  if one.since > now then one.since = 0 end
end
if mode ~= 2 and known > 0 then
  account_saw = sites[1].saw
  new = account_saw < now - known + 1
elseif known >= 0 then
  account_saw = sites[1].saw
  new = false
end

-- Buckets go round: each remembers which stretch of time it counts.
local function slot(span, index) return text(span) .. ':' .. text(index % RING) end

local function in_bucket(value, index)
  local of, total = string.match(value or '', '^(%d+) (%d+)$')
  return of and tonumber(of) == index and tonumber(total) or 0
end

-- How many count (no further than the budget goes, but for buckets), and the moment of the oldest of them, which is
-- looked up only where it is told: for a quota, or if the budget is full.
local function count(one, for_quota)
  local site, key = one.site, one.site[one.counts]
  if site.bucketed then
    local width, total, oldest, names = math.ceil(one.span / BUCKETS), 0, nil, {}
    local first, last = math.floor((now - one.span) / width), math.floor(now / width)
    for index = first, last do names[#names + 1] = slot(one.span, index) end
    for offset, value in ipairs(redis.call('HMGET', key, unpack(names))) do
      local found = in_bucket(value, first + offset - 1)
      total = total + found
      if found > 0 and not oldest then oldest = (first + offset) * width end
    end
    return total, oldest
  end
  local from = now - one.span + 1
  if one.since > from then from = one.since end
  local total = redis.call('ZCOUNT', key, text(from), '+inf')
  if total < one.people and not for_quota then return total, nil end
  local rank = math.min(total, one.people) - 1
  if rank < 0 then return math.min(total, one.people), nil end
  return rank + 1, math.floor(tonumber(redis.call('ZREVRANGE', key, rank, rank, 'WITHSCORES')[2]))
end

local function saw_new(site)
  site.saw_new = site.saw_new or tonumber(redis.call('ZSCORE', site.new, who) or '-1')
  return site.saw_new
end

local function inside(one)
  if one.site.bucketed then return account_saw >= now - one.span + 1 end
  if one.counts == 'people' then return one.site.saw >= now - one.span + 1 end
  return saw_new(one.site) >= now - one.span + 1
end

local function seconds(span) return math.ceil(span / 1000000) end

local winner = nil
local function refuse(act, wait, index, packed)
  local deny = act == 4
  if not winner or (deny and not winner.deny) or (deny == winner.deny and wait > winner.wait) then
    winner = {deny = deny, wait = wait, index = index, packed = packed}
  end
end

local lasting = {}
for _, site in ipairs(sites) do
  for name, value in pairs(site.kept) do
    if string.sub(name, 1, 1) == 'b' then
      local till, under, act, packed = string.match(value, '^(%d+) (%d+) (%d+) (.*)$')
      if now < tonumber(till) then
        lasting[string.sub(name, 2)] = true
        if level < tonumber(under) then refuse(tonumber(act), seconds(tonumber(till) - now), 0, packed) end
      end
    end
  end
end

local alerts, observed, delays = {}, {}, {}
for index, one in ipairs(budgets) do
  one.asked = risk >= one.risk
  local asks = one.asked
  if mode == 2 then
    asks = asks and one.counts == 'missed'
  elseif one.counts ~= 'missed' then
    asks = asks and (one.counts == 'people' or new) and not inside(one)
  end
  if asks then
    local total, oldest = count(one)
    if total >= one.people then
      if one.act == 0 then observed[#observed + 1] = index
      elseif one.act == 1 then alerts[#alerts + 1] = index
      elseif one.act == 2 then delays[#delays + 1] = index
      else refuse(one.act, seconds((oldest or now) + one.span - now), index, '') end
    end
  end
end

local function keep(site, what, moment)
  local span = site.keep[what]
  redis.call('ZADD', site[what], exact(moment), who)
  redis.call('ZREMRANGEBYSCORE', site[what], '-inf', '(' .. text(now - span + 1))
  redis.call('PEXPIRE', site[what], text(math.ceil(span / 1000) + DAY))
end

local function add(site, one)
  local index = math.floor(now / math.ceil(one.span / BUCKETS))
  local name = slot(one.span, index)
  local total = in_bucket(redis.call('HGET', site[one.counts], name), index) + 1
  redis.call('HSET', site[one.counts], name, text(index) .. ' ' .. text(total))
  local left = math.max(redis.call('PTTL', site[one.counts]), math.ceil(one.span / 1000) + DAY)
  redis.call('PEXPIRE', site[one.counts], text(left))
  return name, text(index)
end

local function write_state(site, name, value, milliseconds)
  redis.call('HSET', site.state, name, value)
  local left = math.max(redis.call('PTTL', site.state), milliseconds + DAY)
  redis.call('PEXPIRE', site.state, text(left))
end

local taken, drawn = {}, {}
local function take(site)
  local done = {0, -1, 0, -1}
  if site.keep.people > 0 then
    -- Who looks at the same microsecond again is told apart from the one before (a double has quarters here): his
    -- place is not given back.
    local moment = math.max(now, site.saw + 0.25)
    done[1], done[2] = exact(moment), exact(site.saw)
    keep(site, 'people', moment)
  end
  if new and site.keep.new > 0 then
    done[3], done[4] = now, saw_new(site)
    keep(site, 'new', now)
  end
  return done
end

local verdict, moves = 0, mode ~= 2 and not winner and new and moved
if winner then verdict = winner.deny and 2 or 1 elseif moves then verdict = 3 end
if verdict == 0 and mode ~= 0 then
  for _, site in ipairs(sites) do
    if mode == 2 then
      if not site.bucketed and site.keep.missed > 0 then keep(site, 'missed', now) end
    else
      taken[#taken + 1] = site.bucketed and {0, -1, 0, -1} or take(site)
    end
  end
  for _, site in ipairs(sites) do
    for _, one in ipairs(site.draws) do
      local counts = one.counts
      if mode == 2 then
        if counts == 'missed' then add(site, one) end
      elseif counts ~= 'missed' and (counts == 'people' or new) and account_saw < now - one.span + 1 then
        drawn[#drawn + 1] = {site.at + (counts == 'new' and 1 or 0), add(site, one)}
      end
    end
  end
end

for _, site in ipairs(sites) do
  local silent = verdict ~= 0 or mode == 2 or site.bucketed or site.keep.people == 0
  if silent and now > site.latest then
    local longest = math.max(site.keep.people, site.keep.new, site.keep.missed)
    write_state(site, 't', text(now), math.ceil(longest / 1000))
  end
end

local fresh = {}
for _, index in ipairs(alerts) do
  local one = budgets[index]
  if now >= tonumber(sites[1].kept['a' .. one.name] or '0') then
    fresh[#fresh + 1] = index
    write_state(sites[1], 'a' .. one.name, text(now + one.span), math.ceil(one.span / 1000))
  end
end

local closed = 0
if winner and winner.index > 0 then
  local one = budgets[winner.index]
  if one.lasts > 0 and not lasting[one.name] then
    winner.wait = math.max(winner.wait, math.floor(one.lasts / 1000000))
    closed = now + one.lasts
    local value = text(closed) .. ' ' .. text(one.under) .. ' ' .. text(one.act) .. ' ' .. one.packed
    write_state(one.site, 'b' .. one.name, value, math.ceil(one.lasts / 1000))
  end
end

local quotas = {}
if verdict ~= 0 or mode ~= 2 then
  for index, one in ipairs(budgets) do
    if one.told and one.asked then
      local total, oldest = count(one, true)
      quotas[#quotas + 1] = {index, total, oldest and seconds(oldest + one.span - now) or 0}
    end
  end
end

return {verdict, winner and winner.index or 0, winner and winner.packed or '', winner and winner.wait or 0, now,
  new and 1 or 0, exact(account_saw), closed, quotas, fresh, observed, delays, taken, drawn}
