/**
 * `takeTokens` as Redis runs it: one key, one script, so that it is one step whoever else asks; by the clock of Redis, so that it does
 * not matter what time the callers think it is. What somebody else wrote there is no state: it is begun anew.
 */
import { ADVANCE_PART, MAX_IDENTITIES, OTHERS } from "./token-shares.ts";

/** Gives `seconds` and `microseconds` as texts. */
export const CLOCK_OF_REDIS = "redis.call('TIME')";

/**
 * Keys: the counter. Arguments: rate, burst, identity, hits (0: nothing is written), "1" where an advance is welcome, idle milliseconds.
 * Answer: granted, advance, remaining, milliseconds to wait (rounded up).
 *
 * @param clock an expression of Lua
 */
export function takeScript(clock: string = CLOCK_OF_REDIS): string {
  return `
local rate, burst, identity = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local hits, advanceWelcome, idle = tonumber(ARGV[4]), ARGV[5] == '1', tonumber(ARGV[6])
local TINY, MAX_ROUNDS = 1e-6, 8
local time = ${clock}
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local function roomOf(count)
  if count == 1 then return burst end
  return math.max(2, burst / count)
end

-- The state: when, what is spare, and of each identity its name, its tokens, and when it last asked.
local at, spare, before = now, burst, {}
local function isFigure(value)
  return type(value) == 'number' and value >= 0 and value < math.huge
end
local function isState(state)
  if type(state) ~= 'table' or not isFigure(state[1]) or not isFigure(state[2]) then return false end
  if type(state[3]) ~= 'table' or #state[3] > ${MAX_IDENTITIES + 1} then return false end
  for _, one in ipairs(state[3]) do
    if type(one) ~= 'table' or type(one[1]) ~= 'string' then return false end
    if not isFigure(one[2]) or not isFigure(one[3]) then return false end
  end
  return true
end
local packed = redis.pcall('GET', KEYS[1])
if type(packed) == 'table' and not string.find(packed.err, 'WRONGTYPE', 1, true) then return packed end
if type(packed) == 'string' then
  local good, state = pcall(cmsgpack.unpack, packed)
  if good and isState(state) then at, spare, before = state[1], state[2], state[3] end
end
local elapsed = math.max(0, now - at)

local held, own = {}, nil
for _, one in ipairs(before) do
  one[3] = math.min(one[3], now)
  if one[3] >= now - idle then held[#held + 1] = one else spare = spare + one[2] end
end
local function find(name)
  for _, one in ipairs(held) do if one[1] == name then return one end end
end
own = find(identity)
if not own and #held >= ${MAX_IDENTITIES} then
  identity = '${OTHERS}'
  own = find(identity)
end
local room = roomOf(own and #held or #held + 1)
for _, one in ipairs(held) do
  if one[2] > room then
    spare = spare + (one[2] - room)
    one[2] = room
  end
end
if own then own[3] = now
else
  own = { identity, math.min(room, spare), now }
  spare = spare - own[2]
  held[#held + 1] = own
end

local open, left, rounds = {}, elapsed * rate, 0
room = roomOf(#held)
for _, one in ipairs(held) do if one[2] < room then open[#open + 1] = one end end
while rounds < MAX_ROUNDS and left > TINY and #open > 0 do
  local each, still = left / #open, {}
  left = 0
  for _, one in ipairs(open) do
    one[2] = one[2] + each
    if one[2] < room then still[#still + 1] = one
    else
      left = left + (one[2] - room)
      one[2] = room
    end
  end
  open = still
  rounds = rounds + 1
end
local total = 0
for _, one in ipairs(held) do total = total + one[2] end
spare = math.max(0, math.min(spare + left, burst - total))

local there = math.floor(own[2] + spare + TINY)
local granted = math.min(hits, there)
local advance = advanceWelcome and math.floor((there - granted) / ${ADVANCE_PART}) or 0
local fromOwn = math.min(own[2], granted + advance)
own[2] = own[2] - fromOwn
spare = math.max(0, spare - (granted + advance - fromOwn))
local remaining = math.floor(own[2] + spare + TINY)
local wait = 0
if remaining <= 0 then wait = (1 - own[2] - spare) * math.max(1, #open) / rate end

if hits > 0 then redis.call('SET', KEYS[1], cmsgpack.pack({ now, spare, held }), 'PX', ARGV[6]) end
return { granted, advance, remaining, math.ceil(wait) }
`;
}
