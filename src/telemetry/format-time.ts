/** `%START_TIME%`, and with a format of its own as Envoy reads it: strftime with fractions of a second (OBS-5). */
import type { LoggedCall } from "./logged-call.ts";

type Part = (time: Date) => string;

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const DAY_MS = 86_400_000;

/** Always UTC. */
const PARTS: Readonly<Record<string, Part>> = {
  Y: (time) => String(time.getUTCFullYear()),
  y: (time) => padded(time.getUTCFullYear() % 100, 2),
  m: (time) => padded(time.getUTCMonth() + 1, 2),
  d: (time) => padded(time.getUTCDate(), 2),
  e: (time) => String(time.getUTCDate()).padStart(2, " "),
  H: (time) => padded(time.getUTCHours(), 2),
  M: (time) => padded(time.getUTCMinutes(), 2),
  S: (time) => padded(time.getUTCSeconds(), 2),
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  j: (time) => padded(dayOfYear(time), 3),
  b: (time) => MONTHS[time.getUTCMonth()] ?? "",
  a: (time) => DAYS[time.getUTCDay()] ?? "",
  F: (time) => time.toISOString().slice(0, 10),
  T: (time) => time.toISOString().slice(11, 19),
  z: () => "+0000",
  Z: () => "UTC",
  "%": () => "%",
};

/** @param format "" for ISO 8601 with milliseconds; what is not known in it stays as it is */
export function timeFormat(format: string): (call: LoggedCall) => string {
  if (format === "") return ({ entry }) => entry.start_time;
  const parts = partsOf(format);
  return ({ startedAt }) =>
    parts.map((part) => (typeof part === "string" ? part : part(startedAt))).join("");
}

function partsOf(format: string): readonly (Part | string)[] {
  return format.split(/(%(?:[1-9]?f|[A-Za-z%]))/).map((text) => {
    const [, digits] = /^%([1-9]?)f$/.exec(text) ?? [];
    if (digits !== undefined) return fraction(digits === "" ? 9 : Number(digits));
    const name = text.length === 2 && text.startsWith("%") ? text.slice(1) : "";
    return (Object.hasOwn(PARTS, name) ? PARTS[name] : undefined) ?? text;
  });
}

/** Of the second; nothing below a millisecond is known. */
function fraction(digits: number): Part {
  return (time) => padded(time.getUTCMilliseconds(), 3).padEnd(9, "0").slice(0, digits);
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

function dayOfYear(time: Date): number {
  return Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;
}
