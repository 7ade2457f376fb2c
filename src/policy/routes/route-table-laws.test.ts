/** Laws of finding routes: whatever the hosts and conditions, the index says what a plain reading says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { HttpMatch } from "../../api/routing/http-match.ts";
import { isWithin } from "./host-pattern.ts";
import { compileRoutes } from "./route-table.ts";
import type { RoutedRequest } from "./routed-request.ts";
import type { HttpRoute, VirtualHost } from "./virtual-host.ts";

const route = (match: HttpMatch, name = ""): HttpRoute => ({
  origin: {
    ref: { kind: "VirtualService", namespace: "a", name: "b" },
    source: { file: "f", line: 1 },
  },
  name,
  match,
  action: { do: "respond", status: 200 },
});

const asked = (more: Partial<RoutedRequest> = {}): RoutedRequest => ({
  method: "GET",
  path: "/",
  authority: "a.example.com",
  scheme: "https",
  header: () => undefined,
  ...more,
});

const label = fc.constantFrom("a", "b", "c");
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const domain = fc.oneof(
  name,
  name.map((text) => `*.${text}`),
  fc.constant("*"),
);

test("law: the host is the most specific of those that have the name, whatever their order", () => {
  fc.assert(
    fc.property(fc.uniqueArray(domain, { maxLength: 8 }), name, (domains, authority) => {
      const table = compileRoutes(
        domains.map((one): VirtualHost => ({ domains: [one], routes: [] })),
      );
      const having = domains.filter((one) => isWithin(authority, one));
      const best = having.toSorted(
        (one, other) =>
          Number(one.startsWith("*")) - Number(other.startsWith("*")) || other.length - one.length,
      )[0];
      assert.equal(table.hostOf(`${authority.toUpperCase()}:80`)?.virtualHost.domains[0], best);
    }),
  );
});

const text = fc.constantFrom("", "a", "ab", "b");
const textMatch = fc.oneof(
  text.map((one) => ({ kind: "exact", text: one }) as const),
  text.map((one) => ({ kind: "prefix", text: one }) as const),
);
const named = fc.record(
  {
    name: fc.constantFrom("x", "y"),
    value: fc.oneof(textMatch, fc.constant("present" as const)),
    not: fc.constant(true as const),
  },
  { requiredKeys: ["name", "value"] },
);
const path = text.map((one) => `/${one}`);
const match: fc.Arbitrary<HttpMatch> = fc.record(
  {
    path: fc.oneof(
      path.map((one) => ({ kind: "exact", path: one }) as const),
      path.map((one) => ({ kind: "prefix", path: one }) as const),
      path.map((one) => ({ kind: "segments", path: one.replace(/\/$/, "") }) as const),
    ),
    method: textMatch,
    headers: fc.array(named, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** As it would be read aloud. */
function holds(condition: HttpMatch, request: RoutedRequest): boolean {
  const is = (one: { kind: string; text?: string } | "present", value: string): boolean =>
    one === "present" ||
    (one.kind === "exact" ? value === one.text : value.startsWith(one.text ?? "?"));
  const pathname = request.path?.split("?")[0] ?? "";
  const { path: wanted } = condition;
  if (wanted?.kind === "exact" && pathname !== wanted.path) return false;
  if (wanted?.kind === "prefix" && !pathname.startsWith(wanted.path)) return false;
  if (wanted?.kind === "segments" && !`${pathname}/`.startsWith(`${wanted.path}/`)) return false;
  if (condition.method && !is(condition.method, request.method)) return false;
  return (condition.headers ?? []).every(({ name: header, value, not }) => {
    const got = request.header(header);
    if (not && value === "present") return got === undefined;
    return not ? !is(value, got ?? "") : got !== undefined && is(value, got);
  });
}

test("law: the route is the first whose every condition holds", () => {
  fc.assert(
    fc.property(
      fc.array(match, { maxLength: 6 }),
      path,
      text,
      fc.record({ x: text, y: text }, { requiredKeys: [] }),
      (conditions, requested, method, headers: Readonly<Record<string, string>>) => {
        const routes = conditions.map((one, index) => route(one, String(index)));
        const request = asked({ path: `${requested}?q=1`, method, header: (one) => headers[one] });
        const table = compileRoutes([{ domains: ["*"], routes }]);
        const first = conditions.findIndex((one) => holds(one, request));
        assert.equal(table.hostOf("x")?.find(request)?.name, first < 0 ? undefined : String(first));
      },
    ),
    { numRuns: 500 },
  );
});
