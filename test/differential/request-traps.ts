/** Sets written by hand about what requests carry: what proxies write, take out, join or leave alone; and who is asked about them. */
import type { AuthorizationCondition } from "../../src/api/authorization-policy.ts";
import type { Call, TokenFlaw, WireRequest } from "./question.ts";
import { ALL, as, calls, PLAINTEXT, paths, type Rule, type Trap, tcpCalls } from "./trap.ts";

type Sent = Partial<WireRequest>;

const FORMS = ["deny", "allow"] as const;
const sends = (...headers: WireRequest["headers"]): Sent => ({ headers });

function asks(name: string, values: readonly string[], notValues: readonly string[] = []): Rule {
  const when: AuthorizationCondition = { key: `request.headers[${name}]`, values, notValues };
  return { when: [when] };
}

/** Each rule keeps out in one set, and lets in in another. */
function bothWays(
  rules: readonly Rule[],
  asked: readonly Call[],
  frame: Trap["frame"] = {},
): Trap[] {
  return rules.flatMap((rule) =>
    FORMS.map((action): Trap => ({ policies: { [action]: [rule] }, frame, calls: asked })),
  );
}

const overHttp1 = (all: readonly Call[]): Call[] =>
  all.filter(({ protocol }) => protocol === "http/1.1");

const COOKIES = [
  {},
  sends(["cookie", "a=1"]),
  sends(["cookie", "a=1; b=2"]),
  sends(["cookie", "a=1"], ["cookie", "b=2"]),
  sends(["cookie", "b=2"], ["cookie", "a=1"]),
  sends(["cookie", "a=1,b=2"]),
];
const FORWARDED = [
  "10.0.0.9",
  "10.0.0.9:80",
  "[::ffff:10.0.0.9]",
  "::ffff:10.0.0.9",
  "10.0.0.9,",
  " 10.0.0.9 ",
  "junk",
  "",
  "010.0.0.9",
  "10.0.1.9,10.0.0.9",
];
const TOKEN = { iss: "iss", sub: "a" };
const FLAWS: readonly TokenFlaw[] = ["forged", "expired", "unsigned", "garbage", "stranger"];
const WITH_TOKENS: readonly Sent[] = [
  {},
  { token: { payload: TOKEN } },
  ...FLAWS.map((flaw): Sent => ({ token: { payload: TOKEN, flaw } })),
];
const PREFLIGHT = {
  method: "OPTIONS",
  ...sends(["Origin", "https://a"], ["Access-Control-Request-Method", "GET"]),
};
const ODD_IDENTITIES = [
  "spiffe://cluster.local/ns/default/sa/a/",
  "spiffe://cluster.local",
  "spiffe://cluster.local/",
  "spiffe://cluster.local/ns/default/sa/a%2fb",
  "spiffe://cluster.local/ns/default//sa/a",
  "spiffe://cluster.local/ns/default/../other/sa/a",
  "spiffe://cluster.local/ns/default/sa/a?x",
  "spiffe://cluster.local/ns/default/sa/a#x",
  "spiffe://Cluster.local/ns/default/sa/a",
  "SPIFFE://cluster.local/ns/default/sa/a",
  "spiffe://cluster.local.evil/ns/default/sa/a",
  "spiffe://cluster.local@evil/ns/default/sa/a",
  "spiffe://cluster.local:80/ns/default/sa/a",
  "https://cluster.local/ns/default/sa/a",
];
const TEMPLATES = paths(
  "/a",
  "/a/",
  "/a/b",
  "/a/b/c",
  "/a/b/x/c",
  "/a//c",
  "/a/b%2Fx/c",
  "/a/b/c?d",
  "/a/b=1/c",
  "/a/*/c",
);

export const REQUEST_TRAPS: readonly Trap[] = [
  // Cookies are one list, however many lines there are.
  ...bothWays(
    [
      asks("Cookie", ["a=1"]),
      asks("cookie", ["a=1; b=2"]),
      asks("cookie", ["*b=2"]),
      asks("cookie", [], ["a=1*"]),
    ],
    calls([as("a")], ...COOKIES),
  ),
  // Whom headers tell, in every spelling.
  ...bothWays(
    [
      { from: [{ remoteIpBlocks: ["10.0.0.0/24"] }] },
      { from: [{ notRemoteIpBlocks: ["10.0.0.0/24"] }] },
    ],
    calls([as("a")], ...FORWARDED.map((value) => sends(["x-forwarded-for", value]))),
  ),
  // What a proxy says of a caller, nobody else does.
  ...bothWays(
    [
      asks("X-Forwarded-Client-Cert", ["*/sa/admin"]),
      asks("x-forwarded-client-cert", ["*/sa/a"]),
      asks("x-forwarded-client-cert", ["*"]),
    ],
    calls(
      [as("a"), as("admin"), PLAINTEXT],
      {},
      sends(["x-forwarded-client-cert", "By=spiffe://x/y;URI=spiffe://x/sa/admin"]),
    ),
  ),
  ...bothWays(
    [asks("x-forwarded-proto", ["https"]), asks("x-request-id", ["*"])],
    calls(
      [as("a"), PLAINTEXT],
      {},
      sends(["x-forwarded-proto", "https"]),
      sends(["x-request-id", "one"]),
    ),
  ),
  // Names have no letter case, and an underscore is no hyphen.
  ...bothWays(
    [asks("X-RoLe", ["admin"])],
    calls(
      [as("a")],
      {},
      sends(["X-ROLE", "admin"]),
      sends(["x_role", "admin"]),
      sends(["x-role", "Admin"]),
    ),
  ),
  // What is for this hop only lets nobody in; who called is not to be forgotten.
  ...[
    [
      ["connection", "x-role"],
      ["x-role", "admin"],
    ],
    [
      ["connection", "close, authorization"],
      ["authorization", "Basic x"],
    ],
    [
      ["connection", "cookie"],
      ["cookie", "a=1"],
    ],
    [
      ["connection", "x-forwarded-for"],
      ["x-forwarded-for", "10.0.0.1"],
    ],
    [["connection", "keep-alive"]],
    [
      ["connection", "keep-alive"],
      ["keep-alive", "timeout=5"],
    ],
    [
      ["connection", "keep-alive"],
      ["x-envoy-internal", "true"],
    ],
  ].flatMap((headers) =>
    bothWays(
      [asks(headers.at(-1)?.[0] ?? "", ["*"])],
      overHttp1(
        calls([as("a")], {
          headers: headers.map(([name = "", value = ""]) => [name, value] as const),
        }),
      ),
    ),
  ),
  ...bothWays(
    [{ from: [{ remoteIpBlocks: ["10.0.0.1"] }] }],
    overHttp1(
      calls([as("a")], sends(["connection", "x-forwarded-for"], ["x-forwarded-for", "10.0.0.1"])),
    ),
  ),
  ...bothWays(
    [{ from: [{ requestPrincipals: ["*"] }] }],
    overHttp1(
      calls(
        [as("a")],
        ...WITH_TOKENS.map((sent) => ({ ...sent, ...sends(["connection", "authorization"]) })),
      ),
    ),
    { tokens: "verified" },
  ),
  // Nobody looks at trailers.
  ...bothWays(
    [asks("x-role", ["admin"])],
    calls([as("a")], { method: "POST", trailers: [["x-role", "admin"]] }),
  ),
  // A target that names a host says which one is meant.
  ...bothWays(
    [{ to: [{ hosts: ["secret"] }] }, { to: [{ notHosts: ["secret"] }] }, asks("Host", ["secret"])],
    calls(
      [as("a"), PLAINTEXT],
      { authority: "secret", beside: "open" },
      { authority: "open", beside: "secret" },
    ),
  ),
  // Templates.
  ...["/a/{*}/c", "/a/{**}", "/{**}/c", "/a/{*}"].flatMap((path) => [
    ...bothWays(
      [{ to: [{ paths: [path] }] }, { to: [{ notPaths: [path] }] }],
      calls([as("a")], ...TEMPLATES),
    ),
  ]),
  // Tokens that nobody should take, with policies and without; preflights have none.
  {
    policies: {},
    frame: { tokens: "verified" },
    calls: calls([as("a"), PLAINTEXT], ...WITH_TOKENS),
  },
  {
    policies: {},
    frame: { tokens: "ignored" },
    calls: calls([as("a"), PLAINTEXT], ...WITH_TOKENS),
  },
  {
    policies: {},
    frame: { tokens: "verified" },
    calls: calls([as("a")], ...WITH_TOKENS.map((sent) => ({ ...PREFLIGHT, ...sent })), {
      ...sends(["origin", "https://a"], ["access-control-request-method", "GET"]),
      token: { payload: TOKEN, flaw: "expired" },
    }),
  },
  ...bothWays(
    [{ from: [{ requestPrincipals: ["*"] }] }, asks("authorization", ["*"])],
    calls(
      [as("a")],
      ...WITH_TOKENS.slice(0, 2),
      ...WITH_TOKENS.slice(0, 2).map((sent) => ({ ...PREFLIGHT, ...sent })),
    ),
    { tokens: "verified" },
  ),
  ...bothWays([asks("authorization", ["Bearer *"])], calls([as("a")], ...WITH_TOKENS)),
  // A name in TLS.
  ...bothWays(
    [{ when: [{ key: "connection.sni", values: ["api.local"], notValues: [] }] }],
    [...calls([as("a")], {}), ...tcpCalls(as("a"))].flatMap((call) =>
      ["api.local", "API.local", "xapi.local"].map((serverName) => ({ ...call, serverName })),
    ),
  ),
  // URIs that look like identities, and are none.
  ...[
    {},
    { allow: [ALL] },
    { allow: [{ from: [{ principals: ["*"] }] }] },
    { deny: [{ from: [{ namespaces: ["other"] }] }] },
  ].map(
    (policies): Trap => ({
      policies,
      calls: [...calls(ODD_IDENTITIES.map(as), {}), ...tcpCalls(...ODD_IDENTITIES.map(as))],
    }),
  ),
];
