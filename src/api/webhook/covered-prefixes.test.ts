import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fields } from "../decoder.ts";
import { ParseReport } from "../parse-report.ts";
import { yamlDocuments } from "../yaml-documents.ts";
import { warnOfCoveredPrefixes } from "./covered-prefixes.ts";

interface Written {
  readonly prefix: string;
  readonly port: number;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

const short = (letters: string): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...letters), { maxLength: 4 }).map((all) => all.join(""));
const written: fc.Arbitrary<Written> = fc.record({
  prefix: short("ab"),
  port: fc.constantFrom(0, 80),
  method: fc.constantFrom("", "G", "GE"),
  headers: fc.dictionary(fc.constantFrom("x", "y"), fc.constantFrom("v", "vw"), { maxKeys: 2 }),
});

function told(matches: readonly Written[]): readonly string[] {
  const yaml = {
    matches: matches.map(({ prefix, port, method, headers }) => ({
      uri: { prefix },
      port,
      method: { exact: method },
      headers: Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, { prefix: value }]),
      ),
    })),
  };
  const root = yamlDocuments(JSON.stringify(yaml))[0]?.root;
  assert.ok(root?.type === "map");
  const report = new ParseReport("f");
  const fields = new Fields(root, { line: 1, path: "", report });
  warnOfCoveredPrefixes(fields.list("matches"));
  return report
    .notices(1)
    .map(
      ({ path, message }) => `${/\d+/.exec(path)?.[0]} by ${/matches\[(\d+)\]/.exec(message)?.[1]}`,
    );
}

/** Every pair compared, as istiod does. */
function naive(matches: readonly Written[]): readonly string[] {
  return matches.flatMap((later, at) =>
    matches
      .slice(0, at)
      .flatMap((before, first) => (covers(before, later) ? `${at} by ${first}` : [])),
  );
}

function covers(before: Written, later: Written): boolean {
  const [names, others] = [Object.keys(before.headers), Object.keys(later.headers)];
  return (
    before.prefix !== "" &&
    before.prefix !== later.prefix &&
    later.prefix.startsWith(before.prefix) &&
    before.port === later.port &&
    (before.method || "GET").startsWith(later.method || "GET") &&
    names.length === others.length &&
    names.every((name) => before.headers[name]?.startsWith(later.headers[name] ?? "-") === true)
  );
}

test("law: told is each pair that comparing all pairs finds, in the same order", () => {
  fc.assert(
    fc.property(fc.array(written, { maxLength: 8 }), (matches) => {
      assert.deepEqual(told(matches), naive(matches));
    }),
    { numRuns: 3_000 },
  );
});

const plain = { port: 0, method: "", headers: {} };

test("5,000 prefixes below one are all told of, a hundred by name", () => {
  const matches = Array.from({ length: 5_000 }, (_, at) => ({ ...plain, prefix: `/${at || ""}` }));
  assert.equal(told(matches).length, 101);
});

test("where too many matches of one prefix differ, it is told that not all are compared", () => {
  const hostile = (prefix: string, header: string): Written[] =>
    Array.from({ length: 1_000 }, (_, at) => ({
      ...plain,
      prefix,
      headers: { x: `${header}${at}` },
    }));
  assert.deepEqual(told([...hostile("/a", "v"), ...hostile("/ab", "w")]), ["1200 by undefined"]);
});
