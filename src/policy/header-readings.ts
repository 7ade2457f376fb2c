/** What a header with commas may mean to whoever reads it as a list: taken apart once for each request, however many rules ask. */
import { ANY_TEXT } from "./text-lookup.ts";
import type { Traffic } from "./traffic-attribute.ts";

/** Of one header: a stranger chooses how many there are, and each costs time for many rules. */
export const MAX_ELEMENTS = 1_024;

/** The whole, each element, and of cookies all of them as one line. */
export type HeaderReadings = ReadonlySet<string> | typeof ANY_TEXT;

interface KnownReadings {
  readonly text: string;
  readonly readings: HeaderReadings;
}

/** By request, then by header. An authorizer may change a header, so that the text counts, too. */
const known: WeakMap<Traffic, Map<string, KnownReadings>> = new WeakMap();

/**
 * @param name lower case
 * @param text has commas
 * @returns `ANY_TEXT` for more than `MAX_ELEMENTS`
 */
export function readingsOf(traffic: Traffic, name: string, text: string): HeaderReadings {
  let ofTraffic = known.get(traffic);
  if (ofTraffic === undefined) {
    ofTraffic = new Map();
    known.set(traffic, ofTraffic);
  }
  const found = ofTraffic.get(name);
  if (found?.text === text) return found.readings;
  const readings = takeApart(text, name);
  ofTraffic.set(name, { text, readings });
  return readings;
}

function takeApart(text: string, name: string): HeaderReadings {
  if (hasMore(text)) return ANY_TEXT;
  const elements = text.split(",").map(withoutBlanks);
  const readings = new Set([text, ...elements]);
  // Applications put lines of cookies together as HTTP/2 does (RFC 9113 section 8.2.3).
  if (name === "cookie") readings.add(elements.filter((line) => line !== "").join("; "));
  return readings;
}

function hasMore(text: string): boolean {
  let at = -1;
  for (let elements = 1; elements <= MAX_ELEMENTS; elements++) {
    at = text.indexOf(",", at + 1);
    if (at < 0) return false;
  }
  return true;
}

/** Each character is looked at once, however many blanks a stranger sends. */
function withoutBlanks(element: string): string {
  let [start, end] = [0, element.length];
  while (start < end && isBlank(element[start])) start++;
  while (end > start && isBlank(element[end - 1])) end--;
  return element.slice(start, end);
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\t";
}
