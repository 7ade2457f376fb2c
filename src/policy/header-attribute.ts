/** The headers of a request, as rules ask about them (AP-80, AP-98). */
import { compileStringMatches, parseStringMatch } from "../api/string-match.ts";
import { readingsOf } from "./header-readings.ts";
import { ANY_TEXT, stringPatterns } from "./text-lookup.ts";
import { ofText, type Traffic, type TrafficAttribute } from "./traffic-attribute.ts";

/** Headers whose values are credentials: never told. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "cookie",
  "proxy-authorization",
  "x-api-key",
]);

/**
 * A header, or one of the pseudo headers `:path` (with its query), `:method` and `:authority` (AP-80, AP-98). Several values
 * are joined with commas; where a match keeps out, one of them is enough: else a second line would hide the first. Of more
 * than `MAX_ELEMENTS` any may be the one that is meant.
 *
 * @param name in any letter case
 */
export function headerAttribute(name: string): TrafficAttribute {
  const lowerCase = name.toLowerCase();
  const single = SINGLE.get(lowerCase);
  const read = single ?? ((traffic: Traffic) => passedHeader(traffic, lowerCase));
  const whole: TrafficAttribute = {
    ...ofText({ name: `header ${lowerCase}`, layer: "http", read }, { star: "present" }),
    ...(SECRET_HEADERS.has(lowerCase) && { shown: "secret" }),
  };
  return single === undefined ? { ...whole, keepingOut: elementsOf(whole, lowerCase) } : whole;
}

function passedHeader(traffic: Traffic, name: string): string | undefined {
  return traffic.passedHeader === undefined ? traffic.header?.(name) : traffic.passedHeader(name);
}

type ReadText = (traffic: Traffic) => string | undefined;

const readAuthority: ReadText = ({ authority }) => authority;

/** What a request has once: no list. */
const SINGLE: ReadonlyMap<string, ReadText> = new Map([
  [":path", ({ path }: Traffic) => path],
  [":method", ({ method }: Traffic) => method],
  [":authority", readAuthority],
  ["host", readAuthority],
]);

/** The same header, met by the whole as well as by any element of the list that it may be (RFC 9110 section 5.6.1). */
function elementsOf(whole: TrafficAttribute, name: string): Omit<TrafficAttribute, "keepingOut"> {
  return {
    ...whole,
    compile(values) {
      const isExact = (value: string): boolean => parseStringMatch(value).kind === "exact";
      const matches = compileStringMatches(values, { star: "present" });
      const exact = values.filter(isExact);
      const wild = values.filter((value) => !isExact(value));
      const matchesWild = compileStringMatches(wild, { star: "present" });
      return (traffic) => {
        const text = traffic.header?.(name);
        if (text === undefined) return false;
        if (!text.includes(",")) return matches(text);
        const readings = readingsOf(traffic, name, text);
        if (readings === ANY_TEXT) return true;
        if (exact.some((value) => readings.has(value))) return true;
        if (wild.length === 0) return false;
        for (const reading of readings) if (matchesWild(reading)) return true;
        return false;
      };
    },
    lookup: {
      name: `elements of header ${name}`,
      several: true,
      read(traffic) {
        const text = traffic.header?.(name);
        if (!text?.includes(",")) return text;
        const readings = readingsOf(traffic, name, text);
        return readings === ANY_TEXT ? ANY_TEXT : [...readings];
      },
      patterns: (values) => stringPatterns(values),
    },
  };
}
