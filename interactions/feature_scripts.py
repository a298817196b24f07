"""The steps of `feature_store` that Redis takes as one: Lua, and what each is for. The protocol is described there."""

from __future__ import annotations

_FEATURES = "'k', 'a', 'c', 'f', 'h', 's', 't'"

# Users come as one MessagePack array: a thousand arguments would take longer than all the rest.
OPEN = """
local writer = redis.call('TIME')[1] .. ARGV[1]
local marks = {}
for _, user in ipairs(cmsgpack.unpack(ARGV[2])) do
  marks[#marks + 1] = '0'
  marks[#marks + 1] = user .. '\\0' .. writer
end
redis.call('ZADD', KEYS[1], unpack(marks))
redis.call('EXPIRE', KEYS[1], ARGV[3])
return writer
"""

# `written` holds user, bytes of events and bytes of seen items, one after the other; the bytes themselves follow.
CLOSE = f"""
local written, history, seen = cmsgpack.unpack(ARGV[3]), ARGV[4], ARGV[5]
local types, longest = ARGV[6], tonumber(ARGV[7])
local keys, marks = {{}}, {{}}
for i = 1, #written, 3 do
  if written[i + 1] > 0 then keys[#keys + 1] = ARGV[1] .. written[i] end
  marks[#marks + 1] = written[i] .. '\\0' .. ARGV[2]
end
local function append(key, events, items)
  local held = redis.call('HMGET', key, 'g', 'k', 't', 'h', 's')
  if not held[1] then return end
  if held[2] == '1' and held[3] == types and #held[4] + #events <= longest then
    redis.call('HSET', key, 'h', held[4] .. events, 's', held[5] .. items)
  else
    redis.call('HDEL', key, {_FEATURES})
  end
  redis.call('HINCRBY', key, 'g', 1)
end
if #keys > 0 and redis.call('EXISTS', unpack(keys)) > 0 then
  local events_from, items_from = 0, 0
  for i = 1, #written, 3 do
    local events_to, items_to = events_from + written[i + 1], items_from + written[i + 2]
    if events_to > events_from then
      local events, items = string.sub(history, events_from + 1, events_to), string.sub(seen, items_from + 1, items_to)
      append(ARGV[1] .. written[i], events, items)
    end
    events_from, items_from = events_to, items_to
  end
end
redis.call('ZREM', KEYS[1], unpack(marks))
"""

# The clock's: a generation that expired and was made anew must not be one that somebody noted.
NOTE = """
if redis.call('HSETNX', KEYS[1], 'g', table.concat(redis.call('TIME'))) == 1 then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
end
return redis.call('HGET', KEYS[1], 'g')
"""

STORE = f"""
if redis.call('HGET', KEYS[1], 'g') ~= ARGV[1] then return 0 end
local now, user = tonumber(redis.call('TIME')[1]), ARGV[4]
local marks = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. user .. '\\0', '(' .. user .. '\\1')
for _, mark in ipairs(marks) do
  if now - tonumber(string.sub(mark, #user + 2, #user + 11)) < tonumber(ARGV[3]) then return 0 end
end
if #marks > 0 then redis.call('ZREM', KEYS[2], unpack(marks)) end
redis.call('HDEL', KEYS[1], {_FEATURES})
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('EXPIRE', KEYS[1], ARGV[2])
return 1
"""

# Not over what another has filled in, and a writer of impressions has appended to since.
STORE_SHOWN = """
if redis.call('HGET', KEYS[1], 'g') ~= ARGV[1] then return 0 end
return redis.call('HSETNX', KEYS[1], 'i', ARGV[2])
"""

# Deleting first: a Redis without memory lets a script go on that has begun with that.
FORGET = f"""
for _, user in ipairs(cmsgpack.unpack(ARGV[2])) do
  local key = ARGV[1] .. user
  if redis.call('EXISTS', key) == 1 then
    redis.call('HDEL', key, {_FEATURES}, 'i')
    redis.call('HINCRBY', key, 'g', 1)
    redis.call('EXPIRE', key, ARGV[3])
  end
end
"""
