-- SPDX-License-Identifier: EUPL-1.2
-- For wrk with one thread. After `--`: "page", or "lookup" and the number to count on from; then each request asks for
-- another person: a well-formed number with its key, born abroad (department 99), made from the count alone.

local count = 0

local function person(n)
  local year, rest = n % 100, math.floor(n / 100)
  local month = rest % 12 + 1
  rest = math.floor(rest / 12)
  local order = rest % 999 + 1
  rest = math.floor(rest / 999)
  local country = rest % 400 + 100
  local number = string.format("1%02d%02d99%03d%03d", year, month, country, order)
  return number .. string.format("%02d", 97 - tonumber(number) % 97)
end

function init(arguments)
  if arguments[1] == "lookup" then
    count = tonumber(arguments[2])
    request = function()
      count = count + 1
      return wrk.format("GET", "/infopatient/" .. person(count))
    end
  end
end

function done(summary, latency, requests)
  io.write(string.format(
    "RESULT %d %d %d %d %d %f %f\n",
    summary.requests, summary.duration, summary.bytes, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
