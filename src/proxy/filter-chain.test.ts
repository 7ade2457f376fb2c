import assert from "node:assert/strict";
import { test } from "node:test";
import type { PortProtocol } from "../api/service.ts";
import type { MutualTlsMode } from "../policy/decision.ts";
import { chooseFilterChain, detectorFor, type FilterChain } from "./filter-chain.ts";
import { OFFERED_PROTOCOLS } from "./mesh-protocols.ts";
import type { DetectedProtocol } from "./protocol-detection.ts";

const tls = (...applicationProtocols: string[]): DetectedProtocol => ({
  kind: "tls",
  hello: { applicationProtocols },
});
const clients = {
  "mesh HTTP": tls("istio-http/1.1", "istio", "http/1.1"),
  "mesh HTTP/2": tls("istio-h2", "istio", "h2"),
  "our HTTP": tls(...OFFERED_PROTOCOLS["HTTP/1.1"]),
  "our upgrade": tls(...OFFERED_PROTOCOLS.upgrade),
  "mesh TCP": tls("istio-peer-exchange", "istio"),
  "our TCP": tls(...OFFERED_PROTOCOLS.tcp),
  "foreign TLS": tls("h2", "http/1.1"),
  "bare TLS": tls(),
  "HTTP/1": { kind: "http" },
  "HTTP/2": { kind: "http2" },
  bytes: { kind: "tcp" },
} satisfies Record<string, DetectedProtocol>;

type Outcomes = Readonly<Record<keyof typeof clients, string>>;

/** What the five clients of the mesh meet, then the others. */
function outcomes(
  mesh: { readonly http: string; readonly tcp: string },
  others: Pick<Outcomes, "foreign TLS" | "bare TLS" | "HTTP/1" | "HTTP/2" | "bytes">,
): Outcomes {
  return {
    "mesh HTTP": mesh.http,
    "mesh HTTP/2": mesh.http,
    "our HTTP": mesh.http,
    "our upgrade": mesh.http,
    "mesh TCP": mesh.tcp,
    "our TCP": mesh.tcp,
    ...others,
  };
}

const HTTP_TERMINATED = "http mutual-tls";
const TCP_TERMINATED = "tcp mutual-tls";
const HTTP_PLAINTEXT = { "HTTP/1": "HTTP/1 plaintext", "HTTP/2": "HTTP/2 plaintext" };
const REFUSED = "plaintext-refused";
const PLAINTEXT_REFUSED = { "HTTP/1": REFUSED, "HTTP/2": REFUSED, bytes: REFUSED };

type Row = [id: string, MutualTlsMode, readonly PortProtocol[], Outcomes];
const rows: Row[] = [
  [
    "PA-30, PA-38",
    "PERMISSIVE",
    ["auto"],
    outcomes(
      { http: HTTP_TERMINATED, tcp: TCP_TERMINATED },
      {
        "foreign TLS": "tcp opaque-tls",
        "bare TLS": "tcp opaque-tls",
        ...HTTP_PLAINTEXT,
        bytes: "tcp plaintext",
      },
    ),
  ],
  [
    "PA-31",
    "PERMISSIVE",
    ["http", "http2"],
    outcomes(
      { http: HTTP_TERMINATED, tcp: HTTP_TERMINATED },
      {
        "foreign TLS": "no-mesh-protocol",
        "bare TLS": "no-mesh-protocol",
        ...HTTP_PLAINTEXT,
        bytes: "HTTP/1 plaintext",
      },
    ),
  ],
  [
    "PA-32, PA-38",
    "PERMISSIVE",
    ["tcp"],
    outcomes(
      { http: TCP_TERMINATED, tcp: TCP_TERMINATED },
      {
        "foreign TLS": "tcp opaque-tls",
        "bare TLS": "tcp opaque-tls",
        "HTTP/1": "tcp plaintext",
        "HTTP/2": "tcp plaintext",
        bytes: "tcp plaintext",
      },
    ),
  ],
  [
    "PA-33, PA-37, PA-39",
    "STRICT",
    ["auto"],
    outcomes(
      { http: HTTP_TERMINATED, tcp: TCP_TERMINATED },
      { "foreign TLS": TCP_TERMINATED, "bare TLS": TCP_TERMINATED, ...PLAINTEXT_REFUSED },
    ),
  ],
  [
    "PA-34, PA-37",
    "STRICT",
    ["http", "http2"],
    outcomes(
      { http: HTTP_TERMINATED, tcp: HTTP_TERMINATED },
      { "foreign TLS": HTTP_TERMINATED, "bare TLS": HTTP_TERMINATED, ...PLAINTEXT_REFUSED },
    ),
  ],
  [
    "PA-35, PA-37",
    "STRICT",
    ["tcp"],
    outcomes(
      { http: TCP_TERMINATED, tcp: TCP_TERMINATED },
      { "foreign TLS": TCP_TERMINATED, "bare TLS": TCP_TERMINATED, ...PLAINTEXT_REFUSED },
    ),
  ],
  [
    "PA-36",
    "DISABLE",
    ["auto"],
    outcomes(
      { http: "tls-refused", tcp: "tls-refused" },
      {
        "foreign TLS": "tcp opaque-tls",
        "bare TLS": "tcp opaque-tls",
        ...HTTP_PLAINTEXT,
        bytes: "tcp plaintext",
      },
    ),
  ],
  [
    "PA-36",
    "DISABLE",
    ["http", "http2"],
    outcomes(
      { http: "tls-refused", tcp: "tls-refused" },
      {
        "foreign TLS": "tls-refused",
        "bare TLS": "tls-refused",
        ...HTTP_PLAINTEXT,
        bytes: "HTTP/1 plaintext",
      },
    ),
  ],
  [
    "PA-36",
    "DISABLE",
    ["tcp"],
    outcomes(
      { http: "tcp plaintext", tcp: "tcp plaintext" },
      {
        "foreign TLS": "tcp plaintext",
        "bare TLS": "tcp plaintext",
        "HTTP/1": "tcp plaintext",
        "HTTP/2": "tcp plaintext",
        bytes: "tcp plaintext",
      },
    ),
  ],
];

for (const [id, mode, protocols, expected] of rows) {
  for (const protocol of protocols) {
    test(`${id}: the chains of ${mode} on a port declared ${protocol}`, () => {
      const chosen = Object.entries(clients).map(([name, detected]) => {
        const isLookedInto = detectorFor({ mode, protocol }) !== undefined;
        const known = isLookedInto ? detected : BYTES;
        return [name, inWords(chooseFilterChain({ mode, protocol }, known))];
      });
      assert.deepEqual(Object.fromEntries(chosen), expected);
    });
  }
}

const BYTES: DetectedProtocol = { kind: "tcp" };

function inWords(chain: FilterChain): string {
  if ("refuse" in chain) return chain.refuse;
  return `${"http" in chain ? chain.http : chain.serve} ${chain.transport}`;
}

const MODES: readonly MutualTlsMode[] = ["STRICT", "PERMISSIVE", "DISABLE"];

/** What is asked for before a chain is chosen: of a client that sends these bytes, and no more yet. */
const beginnings: [bytes: string, mode: MutualTlsMode, PortProtocol, known: string | undefined][] =
  [
    ["P", "PERMISSIVE", "tcp", "tcp"],
    ["P", "PERMISSIVE", "http", undefined],
    ["P", "PERMISSIVE", "http2", undefined],
    ["P", "PERMISSIVE", "auto", undefined],
    ["P", "DISABLE", "http2", undefined],
    ["P", "STRICT", "http2", "tcp"],
    ["PO", "PERMISSIVE", "http", "http"],
    ["PO", "PERMISSIVE", "auto", undefined],
    ["\x01", "PERMISSIVE", "http", "http"],
    ["\x01", "PERMISSIVE", "auto", "tcp"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PERMISSIVE", "http", "http2"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PERMISSIVE", "auto", "http2"],
    ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "PERMISSIVE", "tcp", "tcp"],
  ];
for (const [bytes, mode, protocol, known] of beginnings) {
  test(`PA-41: ${JSON.stringify(bytes)}, ${mode}, ${protocol}: ${known ?? "more is needed"}`, () =>
    assert.equal(detectorFor({ mode, protocol })?.(Buffer.from(bytes, "latin1"))?.kind, known));
}

test("PA-41: TLS is looked for on every port, but where there is nothing to choose", () => {
  for (const mode of MODES) {
    for (const protocol of ["http", "http2", "tcp", "auto"] as const) {
      const detect = detectorFor({ mode, protocol });
      assert.equal(detect === undefined, mode === "DISABLE" && protocol === "tcp");
      assert.equal(detect?.(Buffer.from([22, 3, 1])), undefined, `${mode} ${protocol}`);
    }
  }
});

test("what policies may ask depends on the port and on what came, never on the version of HTTP", () => {
  for (const mode of MODES) {
    for (const protocol of ["http", "http2", "tcp", "auto"] as const) {
      const [first, second] = (["http", "http2"] as const).map((kind) =>
        inWords(chooseFilterChain({ mode, protocol }, { kind })),
      );
      assert.equal(first?.replace("/1", ""), second?.replace("/2", ""));
    }
  }
});
