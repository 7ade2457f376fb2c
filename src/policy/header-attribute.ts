/** The headers of a request, as rules ask about them (AP-80, AP-98). */
import { compileStringMatches } from "../api/string-match.ts";
import { stringPatterns } from "./text-lookup.ts";
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
 * are joined with commas; where a match keeps out, one of them is enough: else a second line would hide the first.
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
      const matches = compileStringMatches(values, { star: "present" });
      return (traffic) => {
        const text = traffic.header?.(name);
        return text !== undefined && readings(text, name).some(matches);
      };
    },
    lookup: {
      name: `elements of header ${name}`,
      several: true,
      read(traffic) {
        const text = traffic.header?.(name);
        return text?.includes(",") ? readings(text, name) : text;
      },
      patterns: (values) => stringPatterns(values),
    },
  };
}

/** Applications put lines of cookies together as HTTP/2 does (RFC 9113 section 8.2.3). */
function readings(text: string, name: string): readonly string[] {
  if (!text.includes(",")) return [text];
  const each = elements(text);
  if (name !== "cookie") return [text, ...each];
  return [text, ...each, each.filter((line) => line !== "").join("; ")];
}

/** Every rule asks for the same header: the last one taken apart is kept. */
let lastRead: { readonly text: string; readonly elements: readonly string[] } = {
  text: "",
  elements: [],
};

function elements(text: string): readonly string[] {
  if (text !== lastRead.text) lastRead = { text, elements: text.split(",").map(withoutBlanks) };
  return lastRead.elements;
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
