/**
 * One fault that two look for is told once, by whoever says more of it. istioctl's analyzers do not know what we say beside
 * them, nor each other.
 */
import type { Finding } from "./finding.ts";

interface Twice {
  /** Whose words are left out. */
  readonly left: string;
  /** Where one of these tells the same. */
  readonly told: readonly string[];
  readonly at: "line" | "object";
  /** Whether both are about one thing. */
  readonly same: (left: string, told: string) => boolean;
  /** What the words that are left out advise, behind their semicolon, is told with the others. */
  readonly advice?: "kept";
}

const OF_MESH = { left: "HBK0100", at: "object" } as const;
const OF_DOCUMENT = { left: "HBK0101", at: "line" } as const;

const SAME_FAULT: readonly Twice[] = [
  {
    ...OF_DOCUMENT,
    told: ["IST0107"],
    same: (left, told) =>
      left.includes("it is read of pods") && left.includes(JSON.stringify(annotationIn(told))),
  },
  {
    ...OF_DOCUMENT,
    told: ["IST0128", "IST0129"],
    same: (left) => left.includes("has no caCertificates"),
  },
  {
    ...OF_DOCUMENT,
    told: ["HBK0003"],
    same: isQuoted(/principals\[\d+\]: "[^"]*" never matches/i),
  },
  { ...OF_DOCUMENT, told: ["HBK0010"], same: isQuoted(/methods are case-sensitive$/) },
  { ...OF_DOCUMENT, told: ["HBK0012"], same: isQuoted(/matches no ordinary path/) },
  {
    ...OF_DOCUMENT,
    told: ["HBK0002"],
    same: (left, told) =>
      left.includes("says only who the caller must not be") &&
      /^Rule #(\d+)/.exec(told)?.[1] === /^spec\.rules\[(\d+)\]/.exec(left)?.[1],
  },
  {
    ...OF_MESH,
    told: ["IST0101"],
    same: (left, told) =>
      told.startsWith("Referenced namespace not found") &&
      isQuoted(/is a namespace without workloads here/)(left, told),
    advice: "kept",
  },
  {
    ...OF_MESH,
    told: ["IST0101"],
    same: (left, told) =>
      told.startsWith("Referenced host not found") &&
      isQuoted(/which is neither a service nor a ServiceEntry here/)(left, told),
    advice: "kept",
  },
  {
    ...OF_MESH,
    told: ["IST0101"],
    same: (left, told) =>
      told.startsWith("Referenced gateway not found") &&
      left.includes("is no Gateway of this mesh") &&
      lastOf(quotedIn(left)) === lastOf(quotedIn(told)),
    advice: "kept",
  },
  {
    ...OF_MESH,
    told: ["IST0101"],
    same: (left, told) =>
      told.startsWith("Referenced selector not found") && left.includes("is served by nobody"),
    advice: "kept",
  },
  {
    ...OF_MESH,
    told: ["IST0127"],
    same: (left) => left.includes("matches no workload of namespace"),
    advice: "kept",
  },
  {
    ...OF_MESH,
    told: ["HBK0011"],
    same: (left) => left.includes("is not obeyed in the root namespace"),
  },
  {
    left: "IST0133",
    told: ["HBK0001"],
    at: "line",
    same: (left) => left.includes("denies all traffic on TCP ports"),
  },
  {
    left: "IST0132",
    told: ["IST0101"],
    at: "line",
    same: (left, told) =>
      told.startsWith("Referenced gateway not found") &&
      left.endsWith(`/${lastOf(quotedIn(told))}.`),
  },
  {
    left: "IST0165",
    told: ["IST0106"],
    at: "line",
    same: (left, told) => left.endsWith(`: ${quotedIn(told)}.`),
  },
  {
    left: "IST0101",
    told: ["IST0106"],
    at: "line",
    same: (left) => left === 'Referenced host not found: ""',
  },
  { left: "IST0106", told: ["IST0106"], at: "line", same: isInside },
];

/**
 * @param objectOf names the object that a finding stands in
 * @returns the same findings without those that another tells better
 */
export function toldOnce(
  findings: readonly Finding[],
  objectOf: (finding: Finding) => string,
): Finding[] {
  const places = { line: byPlace(findings, lineOf), object: byPlace(findings, objectOf) };
  const advised = new Map<Finding, string>();
  const told = findings.filter((finding) => {
    for (const one of SAME_FAULT) {
      if (finding.code !== one.left) continue;
      const place = one.at === "line" ? lineOf(finding) : objectOf(finding);
      const better = places[one.at]
        .get(place)
        ?.find(
          ({ code, message }) => one.told.includes(code) && one.same(finding.message, message),
        );
      if (better === undefined) continue;
      if (one.advice === "kept") advised.set(better, adviceIn(finding.message));
      return false;
    }
    return true;
  });
  return told.map((finding) => {
    const advice = advised.get(finding) ?? "";
    return advice === "" ? finding : { ...finding, message: `${finding.message}; ${advice}` };
  });
}

function byPlace(
  findings: readonly Finding[],
  placeOf: (finding: Finding) => string,
): ReadonlyMap<string, readonly Finding[]> {
  const places = new Map<string, Finding[]>();
  for (const finding of findings) {
    const place = placeOf(finding);
    const known = places.get(place);
    if (known === undefined) places.set(place, [finding]);
    else known.push(finding);
  }
  return places;
}

function lineOf({ source }: Finding): string {
  return `${source.file}:${source.line}`;
}

/** What follows the first semicolon. */
function adviceIn(words: string): string {
  return /; (.*)$/.exec(words)?.[1] ?? "";
}

/** Whether the words that are left out are such, and both quote the same. */
function isQuoted(such: RegExp): Twice["same"] {
  return (left, told) => such.test(left) && quotedIn(left) === quotedIn(told);
}

/** The name alone, of one with its namespace. */
function lastOf(name: string): string | undefined {
  return name.split("/").at(-1);
}

/** What stands in the first pair of quotes. */
function quotedIn(words: string): string {
  return /"([^"]*)"/.exec(words)?.[1] ?? "";
}

/** `Misplaced annotation: NAME can only be applied to Pod` */
function annotationIn(words: string): string {
  return /^Misplaced annotation: (\S+) /.exec(words)?.[1] ?? "";
}

/** Whether a field is missing of what is missing itself. */
function isInside(left: string, told: string): boolean {
  const [, outer] = /^Schema validation error: (\S+) is missing$/.exec(told) ?? [];
  return outer !== undefined && left.startsWith(`Schema validation error: ${outer}.`);
}
