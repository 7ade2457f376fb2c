import assert from "node:assert/strict";
import { test } from "node:test";
import { type AuthzCheckOptions, authzCheckCommand } from "./authz-check.ts";

const PRODUCTION = { file: ["examples/production"] };
const SHOP = { file: ["test/meshes/describe"] };

const CHECKS: readonly (readonly [
  title: string,
  workload: string,
  options: AuthzCheckOptions,
  code: number,
  text: RegExp,
])[] = [
  [
    "a request that is allowed",
    "production/api:8080",
    {
      ...PRODUCTION,
      from: "production/frontend",
      request: "GET /api/v1/orders",
      header: ["x-api-version: v1"],
    },
    0,
    /^allowed: ALLOW production\/api-access rules\[0\] \(.*authorization\.yaml:39\)$/,
  ],
  [
    "a request that no rule allows",
    "production/api:8080",
    { ...PRODUCTION, from: "monitoring/monitoring", request: "GET /api/v1/orders" },
    2,
    /^denied: no ALLOW rule matched; nearest production\/allow-monitoring/,
  ],
  [
    "a connection over TCP",
    "production/database:5432",
    { ...PRODUCTION, from: "production/api" },
    0,
    /^allowed: ALLOW production\/api-to-database/,
  ],
  [
    "a request on a port that carries HTTP is needed",
    "production/api:8080",
    { ...PRODUCTION, from: "production/frontend" },
    1,
    /say which request is meant/,
  ],
  [
    "an unknown callee",
    "production/apo",
    PRODUCTION,
    1,
    /no such workload; did you mean production\/api\?/,
  ],
  [
    "a request from nobody",
    "production/api",
    { ...PRODUCTION, request: "GET /" },
    1,
    /needs --from/,
  ],
  [
    "delegated: nobody has allowed it yet",
    "shop/cart:8080",
    { ...SHOP, from: "shop/cart", request: "DELETE /cart" },
    2,
    /^denied unless the external authorizer allows it: CUSTOM opa by shop\/ask-opa rules\[0\]/,
  ],
  [
    "delegated, and refused",
    "shop/cart:8080",
    { ...SHOP, from: "shop/cart", request: "DELETE /cart", custom: "deny" },
    2,
    /^denied: CUSTOM opa/,
  ],
  [
    "delegated, and allowed: the other policies count",
    "shop/cart:8080",
    { ...SHOP, from: "shop/cart", request: "DELETE /admin", custom: "allow" },
    2,
    /^denied: DENY shop\/no-admin/,
  ],
];

for (const [title, workload, options, code, text] of CHECKS) {
  test(`authz check: ${title}`, async () => {
    const answer = await checked(workload, options);
    assert.match(answer.lines.join("\n"), text);
    assert.equal(answer.code, code);
  });
}

test("CTL-29: the policies of a workload, as istioctl x authz check prints them", async () => {
  const { code, lines } = await checked("shop/cart", SHOP);
  assert.equal(code, 0);
  assert.deepEqual(lines, [
    "ACTION  AuthorizationPolicy      RULES",
    "CUSTOM  ask-opa.shop             1",
    "DENY    no-admin.shop            2",
    "DENY    tomorrow.shop (dry run)  1",
    "ALLOW   reads-and-writes.shop    2",
    "AUDIT   seen.shop                1",
  ]);
});

test("a token's claims, and an AUDIT rule by its name", async () => {
  const claims = "test/meshes/claims/alice.json";
  const question = { ...SHOP, from: "shop/cart", request: "GET /cart" };
  const header = ["x-debug: 1"];
  const without = await checked("shop/cart:8080", { ...question, header });
  assert.match(without.lines.join("\n"), /^denied: DENY shop\/no-admin rules\[1\]/);
  const { lines } = await checked("shop/cart:8080", { ...question, header, claims });
  assert.match(lines.join("\n"), /^denied: no ALLOW rule matched/);
  assert.equal(lines[1], "audited: AUDIT ns[shop]-policy[seen]-rule[0]");
});

test("AP-110 policies on trial that change nothing are passed over; as JSON they are told", async () => {
  const question = { ...SHOP, from: "shop/cart", request: "GET /admin" };
  assert.equal((await checked("shop/cart:8080", question)).lines.length, 1);
  const { lines } = await checked("shop/cart:8080", { ...question, json: true });
  assert.equal(JSON.parse(lines.join("\n")).dryRun.verdict, "deny");
});

test("as JSON, for programs", async () => {
  const { lines } = await checked("shop/cart:8080", {
    ...SHOP,
    from: "shop/cart",
    request: "GET /admin",
    json: true,
  });
  const { verdict, reason } = JSON.parse(lines.join("\n"));
  assert.deepEqual([verdict, reason.because], ["deny", "matched-deny"]);
});

async function checked(
  workload: string,
  options: AuthzCheckOptions,
): Promise<{ readonly code: number; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const code = await authzCheckCommand(workload, options, { print, warn: print });
  return { code, lines };
}
