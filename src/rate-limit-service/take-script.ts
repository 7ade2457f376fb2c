/**
 * `takeTokens` as Redis runs it: one key, one script, so that it is one step whoever else asks; by the clock of Redis, so that it does
 * not matter what time the callers think it is. What somebody else wrote there is no state: it is begun anew.
 */
import { ADVANCE_PART, MAX_DEBTORS, OTHERS, SHARE_OF_REST } from "./token-debts.ts";

/** Gives `seconds` and `microseconds` as texts. */
const CLOCK_OF_REDIS = "redis.call('TIME')";
/** The first word of a state: of another it is none. */
const FORM = "debts";

/**
 * Keys: the counter. Arguments: rate, burst, identity, hits (0: nothing is written), "1" where an advance is welcome, idle milliseconds,
 * "1" where identities share it.
 * Answer: granted, advance, remaining, milliseconds to wait (rounded up).
 *
 * @param clock an expression of Lua
 */
export function takeScript(clock: string = CLOCK_OF_REDIS): string {
  return `
local rate, burst, identity = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local hits, advanceWelcome, fair = tonumber(ARGV[4]), ARGV[5] == '1', ARGV[7] == '1'
local TINY = 1e-6
local time = ${clock}
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000

-- The state: its form, when debts were last paid, and of each debtor the name and the debt, the least first.
local at, before = now, {}
local function isFigure(value)
  return type(value) == 'number' and value >= 0 and value < math.huge
end
local function isState(state)
  if type(state) ~= 'table' or state[1] ~= '${FORM}' or not isFigure(state[2]) then return false end
  if type(state[3]) ~= 'table' or #state[3] > ${MAX_DEBTORS + 1} then return false end
  local least = 0
  for _, one in ipairs(state[3]) do
    if type(one) ~= 'table' or type(one[1]) ~= 'string' or not isFigure(one[2]) then return false end
    if one[2] < least then return false end
    least = one[2]
  end
  return true
end
local packed = redis.pcall('GET', KEYS[1])
if type(packed) == 'table' and not string.find(packed.err, 'WRONGTYPE', 1, true) then return packed end
if type(packed) == 'string' then
  local good, state = pcall(cmsgpack.unpack, packed)
  if good and isState(state) then at, before = state[2], state[3] end
end

local left, paid, first = math.max(0, now - at) * rate, 0, 1
while first <= #before do
  local count = #before - first + 1
  local least = before[first][2] - paid
  if least * count > left + TINY then
    paid = paid + left / count
    break
  end
  paid = paid + least
  left = left - least * count
  first = first + 1
end
local debtors, owed, own, others = {}, 0, nil, nil
for place = first, #before do
  local one = before[place]
  one[2] = one[2] - paid
  owed = owed + one[2]
  debtors[#debtors + 1] = one
  if one[1] == identity or not fair then own = own or one end
  if one[1] == '${OTHERS}' then others = one end
end
if not own and #debtors >= ${MAX_DEBTORS} and fair then own = others or { '${OTHERS}', 0 } end
own = own or { fair and identity or '', 0 }

local function roomOf(all, debt)
  if not fair then return math.max(0, math.floor(burst - all + TINY)) end
  local shared = (${SHARE_OF_REST} * (burst - all + 1) - debt) / ${1 + SHARE_OF_REST}
  return math.max(0, math.floor(math.max(shared, 1 - debt) + TINY))
end

local there = roomOf(owed, own[2])
local granted = math.min(hits, there)
local advance = advanceWelcome and math.floor((there - granted) / ${ADVANCE_PART}) or 0
local taken = granted + advance
local debt = own[2] + taken
owed = owed + taken
if taken > 0 then
  local list, isIn = {}, false
  for _, one in ipairs(debtors) do
    if one[1] ~= own[1] then
      if not isIn and one[2] > debt then
        list[#list + 1] = { own[1], debt }
        isIn = true
      end
      list[#list + 1] = one
    end
  end
  if not isIn then list[#list + 1] = { own[1], debt } end
  debtors = list
end
local remaining = roomOf(owed, debt)
local wait = 0
if remaining <= 0 then
  local most = math.max(1, ${SHARE_OF_REST} * (burst - owed))
  wait = (owed + 1 - burst) / rate
  if fair then wait = (debt + 1 - most) * math.max(1, #debtors) / rate end
end

if hits > 0 then
  redis.call('SET', KEYS[1], cmsgpack.pack({ '${FORM}', now, debtors }), 'PX', ARGV[6])
end
return { granted, advance, remaining, math.ceil(wait) }
`;
}
