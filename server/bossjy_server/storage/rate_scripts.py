"""Rate scripts of Redis: buckets of failed logins, shared token buckets, and the budget of look-ups.

A bucket is one number: the time at which it is full again, by the clock of Redis (the generic cell rate algorithm).
"""

from __future__ import annotations

# All buckets are read before one is changed. Keys: the buckets. Arguments: the number of buckets, from the first, that
# refuse an attempt when empty; for each bucket its number of attempts, and the seconds in which one comes back. Returns
# the seconds to wait for the buckets that refuse and for the others. 0: the attempt was taken from them.
TAKE_ATTEMPT = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local refusing = tonumber(ARGV[1])
local wait, other = 0, 0
local full = {}
for i, key in ipairs(KEYS) do
    local size, every = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
    full[i] = math.max(tonumber(redis.call('GET', key) or '0'), now) + every
    local short = full[i] - now - size * every
    if i <= refusing then wait = math.max(wait, short) else other = math.max(other, short) end
end
local taken = #KEYS
if wait > 0.000001 then taken = 0 elseif other > 0.000001 then taken = refusing end
for i = 1, taken do
    redis.call('SET', KEYS[i], string.format('%.6f', full[i]), 'PX', math.ceil((full[i] - now) * 1000))
end
return {wait > 0.000001 and tostring(wait) or '0', other > 0.000001 and tostring(other) or '0'}
"""

# Returns one attempt to each bucket.
GIVE_BACK_ATTEMPT = """
for i, key in ipairs(KEYS) do
    local full = redis.call('GET', key) if full then redis.call('SET', key, string.format('%.6f',
    tonumber(full) - tonumber(ARGV[2 * i + 1])), 'KEEPTTL') end
end
return 0
"""

# KEYS: the set of processes, then the buckets. ARGV: this
# process, the seconds after which a silent process no longer counts, then for each bucket the tokens taken, its rate
# per second and its capacity. Returns the number of processes, then the remaining tokens of each bucket. That number is
# negative if the processes together took too many; a bucket owes at most its capacity.
EXCHANGE_TOKENS = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[2]) * 1000))
local answer = {redis.call('ZCARD', KEYS[1])}
for i = 2, #KEYS do
    local taken, rate, burst = tonumber(ARGV[3 * i - 3]), tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
    local full = math.max(tonumber(redis.call('GET', KEYS[i]) or '0'), now) + taken / rate
    full = math.min(full, now + 2 * burst / rate)
    if full > now then
        redis.call('SET', KEYS[i], string.format('%.6f', full), 'PX', math.ceil((full - now) * 1000))
    end
    answer[i] = string.format('%.6f', burst - (full - now) * rate)
end
return answer
"""

# Counts a query unless a limit is reached; then names the limit. One slot of a cluster holds all keys. A tenant's 0: no
# limit.
COUNT_LOOKUP = """
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[2]) then return 'day' end
if tonumber(ARGV[3]) > 0 and tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[3]) then return 'tenant' end
if tonumber(redis.call('GET', KEYS[1]) or '0') >= tonumber(ARGV[1]) then return 'second' end
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], 60)
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 172800)
if tonumber(ARGV[3]) > 0 then
    redis.call('INCR', KEYS[3])
    redis.call('EXPIRE', KEYS[3], 172800)
end
return ''
"""
