/** Sets written by hand: what is known to go wrong between Envoy's matchers and Istio's meaning, asked in every run. */
import { ACTION_TRAPS } from "./action-traps.ts";
import type { AskedOfEnvoy } from "./envoy-lane.ts";
import type { WireRequest } from "./question.ts";
import { REQUEST_TRAPS } from "./request-traps.ts";
import {
  ALL,
  as,
  both,
  calls,
  NOBODY,
  PLAINTEXT,
  paths,
  setOf,
  type Trap,
  tcpCalls,
} from "./trap.ts";

const EVERYBODY = [
  as("a"),
  as("sleep"),
  as("sleep-2"),
  as("a.b"),
  as("aXb"),
  as("spiffe://cluster.local/ns/default-2/sa/sleep"),
  as("spiffe://cluster.local/ns/prod.eu/sa/sleep"),
  as("spiffe://cluster.local/ns/prodxeu/sa/sleep"),
  PLAINTEXT,
  NOBODY,
];
const roles = (...all: readonly (readonly string[])[]): Partial<WireRequest>[] =>
  all.map((values) => ({ headers: values.map((value) => ["x-role", value] as const) }));

const ROLES = roles(
  [],
  ["admin"],
  ["user"],
  ["user", "admin"],
  ["admin", "user"],
  ["user,admin"],
  [""],
);
const QUERIES = paths(
  "/own",
  "/own?x=1",
  "/ownx?/own",
  "/a?b=.json",
  "/a.json?b=c",
  "/a/b?c=/d",
  "/own?",
);
const TOKENS: Partial<WireRequest>[] = [
  {},
  { token: { payload: { iss: "iss", sub: "a" } } },
  { token: { payload: { iss: "iss", sub: "b", groups: ["g1", "g2"], scope: "read write" } } },
  { token: { payload: { iss: "https://i/a", sub: "a", groups: "g1", a: { b: ["x"] } } } },
  { token: { payload: { iss: "iss", sub: "a" }, flaw: "forged" } },
];

const TRAPS_BY_HAND: readonly Trap[] = [
  // Whom headers tell, and slashes that count once.
  {
    policies: { allow: [{ from: [{ remoteIpBlocks: ["10.0.0.0/24"] }] }] },
    calls: calls(
      [as("a"), PLAINTEXT],
      {},
      { headers: [["x-forwarded-for", "10.0.0.9"]] },
      { headers: [["x-forwarded-for", "10.0.0.9, 10.0.1.9"]] },
      { headers: [["x-forwarded-for", "10.0.1.9, 10.0.0.9"]] },
    ),
  },
  {
    policies: { deny: [{ to: [{ paths: ["/a/b"] }] }] },
    frame: { pathNormalization: "MERGE_SLASHES" },
    calls: calls([as("a"), PLAINTEXT], ...paths("/a/b", "//a/b", "/a//b?x", "/a///b", "/a/b/")),
  },
  // The query is no part of a path.
  { policies: { deny: [{ to: [{ paths: ["/own"] }] }] }, calls: calls([as("a")], ...QUERIES) },
  { policies: { deny: [{ to: [{ paths: ["*.json"] }] }] }, calls: calls([as("a")], ...QUERIES) },
  {
    policies: { allow: [{ to: [{ paths: ["/own", "*.json"] }] }] },
    calls: calls([as("a")], ...QUERIES),
  },
  {
    policies: { allow: [{ to: [{ notPaths: ["/own", "*.json"] }] }] },
    calls: calls([as("a")], ...QUERIES),
  },
  { policies: { allow: [{ to: [{ paths: ["/a/*"] }] }] }, calls: calls([as("a")], ...QUERIES) },
  // More identities than one are nobody's.
  {
    policies: { deny: [{ from: [{ principals: ["cluster.local/ns/default/sa/a"] }] }] },
    calls: [
      ...calls([both("a", "b"), both("b", "a"), both("b", "c"), as("a"), as("b")], {}),
      ...tcpCalls(both("a", "b"), both("b", "a"), as("a"), as("b")),
    ],
  },
  {
    policies: { allow: [{ from: [{ principals: ["cluster.local/ns/default/*"] }] }] },
    calls: calls([both("a", "b"), as("a"), as("spiffe://cluster.local/ns/other/sa/a")], {}),
  },
  // Headers sent twice.
  ...(["values", "notValues"] as const).flatMap((field) =>
    (["deny", "allow"] as const).map(
      (action): Trap => ({
        policies: {
          [action]: [
            {
              when: [
                { key: "request.headers[x-role]", values: [], notValues: [], [field]: ["admin"] },
              ],
            },
          ],
        },
        calls: calls([as("a"), PLAINTEXT], ...ROLES),
      }),
    ),
  ),
  // Nobody's identity is absent: what demands one fails, what forbids one holds.
  ...[
    [{ principals: ["*"] }],
    [{ notPrincipals: ["*"] }],
    [{ notPrincipals: ["cluster.local/ns/default/sa/sleep"] }],
    [{ principals: ["cluster.local/ns/default/sa/sleep"] }],
    [{ principals: ["cluster.local/ns/default/sa/sleep*"] }],
    [{ principals: ["*/sa/sleep"] }],
    [{ namespaces: ["default"] }],
    [{ notNamespaces: ["default"] }],
    [{ namespaces: ["def*"] }],
    [{ serviceAccounts: ["sleep"] }],
    [{ namespaces: ["prod.eu"] }],
    [{ serviceAccounts: ["default/a.b"] }],
    [{ ipBlocks: ["127.0.0.1"] }],
    [{ notIpBlocks: ["127.0.0.0/8"] }],
  ].flatMap((from) =>
    (["deny", "allow"] as const).map(
      (action): Trap => ({
        policies: { [action]: [{ from }] },
        calls: [...calls(EVERYBODY, {}), ...tcpCalls(...EVERYBODY)],
      }),
    ),
  ),
  // Trust domains: of the mesh, an alias, a foreign one.
  {
    policies: { allow: [{ from: [{ namespaces: ["default"] }] }] },
    frame: { trust: { trustDomain: "td1", trustDomainAliases: ["old.td"] } },
    calls: calls(
      ["td1", "old.td", "oldxtd"].map((domain) => as(`spiffe://${domain}/ns/default/sa/a`)),
      {},
    ),
  },
  {
    policies: { allow: [{ from: [{ principals: ["old.td/ns/default/sa/a"] }] }] },
    frame: { trust: { trustDomain: "td1", trustDomainAliases: ["old.td"] } },
    calls: calls(
      ["td1", "old.td", "oldxtd"].map((domain) => as(`spiffe://${domain}/ns/default/sa/a`)),
      {},
    ),
  },
  // Tokens, none, and bad ones.
  ...[
    { from: [{ requestPrincipals: ["*"] }] },
    { from: [{ requestPrincipals: ["iss/a"] }] },
    { from: [{ requestPrincipals: ["https://i/*"] }] },
    { from: [{ notRequestPrincipals: ["*"] }] },
    { from: [{ notRequestPrincipals: ["iss/a"] }] },
    { when: [{ key: "request.auth.claims[groups]", values: ["g1"], notValues: [] }] },
    { when: [{ key: "request.auth.claims[groups]", values: [], notValues: ["g2"] }] },
    { when: [{ key: "request.auth.claims[scope]", values: ["read"], notValues: [] }] },
    { when: [{ key: "request.auth.claims[a][b]", values: ["x"], notValues: [] }] },
  ].flatMap((rule) =>
    (["deny", "allow"] as const).map(
      (action): Trap => ({
        policies: { [action]: [rule] },
        frame: { tokens: "verified" },
        calls: [...calls([as("a"), PLAINTEXT], ...TOKENS), ...tcpCalls(as("a"), PLAINTEXT)],
      }),
    ),
  ),
  // What TCP does not have: an ALLOW rule that asks for it never matches, a DENY rule asks without it.
  ...(["deny", "allow"] as const).map(
    (action): Trap => ({
      policies: { [action]: [{ to: [{ methods: ["POST"], ports: ["8443", "8080"] }] }] },
      calls: [...calls([as("a")], {}, { method: "POST" }), ...tcpCalls(as("a"), PLAINTEXT)],
    }),
  ),
  // Of the server, and of no path: no policy is asked, and the application is not reached.
  {
    policies: { deny: [{ to: [{ paths: ["*"] }] }] },
    calls: calls([as("a")], { method: "OPTIONS", path: "*" }),
  },
  { policies: { allow: [ALL] }, calls: calls([as("a")], { method: "OPTIONS", path: "*" }) },
  // DENY before ALLOW; nobody; everybody.
  {
    policies: { deny: [{ to: [{ methods: ["POST"] }] }], allow: [ALL] },
    calls: calls([as("a"), PLAINTEXT], {}, { method: "POST" }),
  },
  { policies: { allow: [] }, calls: [...calls([as("a"), PLAINTEXT], {}), ...tcpCalls(as("a"))] },
  { policies: { deny: [ALL] }, calls: [...calls([as("a"), PLAINTEXT], {}), ...tcpCalls(as("a"))] },
  {
    policies: { allow: [{ to: [{ hosts: ["API", "*.shop"] }] }] },
    calls: calls(
      [as("a")],
      {},
      { authority: "Api" },
      { authority: "x.SHOP" },
      { authority: "api:80" },
    ),
  },
  {
    policies: {
      allow: [{ when: [{ key: "connection.sni", values: ["*.local"], notValues: [] }] }],
    },
    calls: calls([as("a"), PLAINTEXT], {}).flatMap((call) => [
      call,
      { ...call, ...(call.caller.kind === "identity" && { serverName: "api.local" }) },
    ]),
  },
];

export const TRAPS: readonly AskedOfEnvoy[] = [
  ...TRAPS_BY_HAND,
  ...REQUEST_TRAPS,
  ...ACTION_TRAPS,
].flatMap((trap) =>
  (["linear", "matcher"] as const).flatMap((form) =>
    (["PERMISSIVE"] as const).map((mode) => ({
      set: setOf(trap, { form, mode }),
      calls: trap.calls,
    })),
  ),
);
