/** What stands in spans, as a collector reads it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loggedCall } from "../../../test/kit/logged-call.ts";
import { headersOf, NODE_ID, PARENT, SAMPLED, sideOf, TRACE } from "../../../test/kit/span-side.ts";
import { endSpan, type Span, startSpan } from "./span.ts";
import type { SpanSide } from "./span-side.ts";

function joined(side: SpanSide, headers: Readonly<Record<string, string>> = {}): Span {
  const span = startSpan(side, headersOf({ traceparent: SAMPLED, ...headers }), {
    containerPort: 8080,
    destination: undefined,
  });
  assert.ok(span);
  return span;
}

test("a span of a call that is taken says what Envoy's does", () => {
  const { side, told } = sideOf({
    tags: [
      { name: "istio.namespace", value: "shop" },
      { name: "tenant", header: "x-tenant", defaultValue: "none" },
      { name: "team", header: "x-team", defaultValue: "none" },
      { name: "absent", header: "x-absent", defaultValue: "" },
      { name: "asked", template: "%REQ(:METHOD)% by %DOWNSTREAM_PEER_URI_SAN%" },
      { name: "unknown", template: "%DYNAMIC_METADATA(a:b)%" },
      { name: "user_agent", value: "hidden" },
    ],
  });
  const before = BigInt(Date.now()) * 1_000_000n;
  const span = joined(side, { tracestate: "a=1" });
  endSpan(
    span,
    loggedCall({
      entry: { bytes_received: 7, response_code: 200, user_agent: "curl/8" },
      path: `/${"p".repeat(300)}`,
      requestHeaders: {
        "x-request-id": "an id",
        "user-agent": "curl/8",
        "x-forwarded-proto": "https",
        "x-team": "blue",
      },
    }),
  );
  const [only, ...others] = told();
  assert.deepEqual(others, []);
  const { startNano, endNano, spanId, ...rest } = only ?? assert.fail("no span");
  assert.ok(startNano >= before - 3_000_000n && endNano >= startNano);
  assert.ok(endNano <= BigInt(Date.now() + 3) * 1_000_000n);
  assert.equal(spanId, span.spanId);
  assert.deepEqual(rest, {
    traceId: TRACE,
    parentSpanId: PARENT,
    traceState: "a=1",
    name: "api.shop.svc.cluster.local:80/*",
    kind: 2,
    status: 0,
    attributes: {
      node_id: NODE_ID,
      "guid:x-request-id": "an id",
      "http.url": `https://api:8080/${"p".repeat(255)}`,
      "http.method": "GET",
      downstream_cluster: "-",
      user_agent: "hidden",
      "http.protocol": "HTTP/1.1",
      "peer.address": "127.0.0.1",
      request_size: "7",
      response_size: "1",
      component: "proxy",
      upstream_cluster: "inbound|8080||",
      "upstream_cluster.name": "inbound|8080||",
      upstream_address: "127.0.0.1:20002",
      "http.status_code": "200",
      response_flags: "-",
      "istio.namespace": "shop",
      tenant: "none",
      team: "blue",
      asked: "GET by spiffe://cluster.local/ns/production/sa/frontend",
    },
  });
});

const outcomes: [
  what: string,
  reporter: "source" | "destination",
  status: number | null,
  expected: { readonly error: string | undefined; readonly status: number },
][] = [
  ["200", "source", 200, { error: undefined, status: 0 }],
  ["404 of a call that is made", "source", 404, { error: undefined, status: 2 }],
  ["404 of a call that is taken", "destination", 404, { error: undefined, status: 0 }],
  ["503 of a call that is made", "source", 503, { error: "true", status: 2 }],
  ["503 of a call that is taken", "destination", 503, { error: "true", status: 2 }],
  ["no answer", "destination", null, { error: "true", status: 2 }],
];
for (const [what, reporter, response_code, expected] of outcomes) {
  test(`the outcome of ${what}`, () => {
    const { side, told } = sideOf({ reporter });
    endSpan(joined(side), loggedCall({ entry: { response_code, reporter } }));
    const [span] = told();
    assert.equal(span?.kind, reporter === "source" ? 3 : 2);
    assert.deepEqual({ error: span?.attributes["error"], status: span?.status }, expected);
    assert.equal(span?.attributes["http.status_code"], String(response_code ?? 0));
  });
}

const grpc: [status: string, error: string | undefined][] = [
  ["0", undefined],
  ["5", undefined],
  ["7", undefined],
  ["14", "true"],
];
for (const [status, error] of grpc) {
  test(`a gRPC call with status ${status} is ${error ? "an error" : "none"}`, () => {
    const { side, told } = sideOf();
    const requestHeaders = { "content-type": "application/grpc+proto", "grpc-timeout": "5S" };
    const responseHeaders = { "grpc-status": status, "grpc-message": "said" };
    endSpan(joined(side), loggedCall({ requestHeaders, responseHeaders }));
    const { attributes = {} } = told()[0] ?? {};
    assert.equal(attributes["error"], error);
    assert.deepEqual(
      ["path", "authority", "content_type", "timeout", "status_code", "message"].map(
        (name) => attributes[`grpc.${name}`],
      ),
      ["/api/v1/orders", "api:8080", "application/grpc+proto", "5S", status, "said"],
    );
  });
}

test("what a stranger wrote is told at its beginning", () => {
  const { side, told } = sideOf({ tags: [{ name: "t", header: "x-t", defaultValue: "" }] });
  const long = "é".repeat(20_000);
  endSpan(
    joined(side),
    loggedCall({ requestHeaders: { "user-agent": long, "x-t": long, "x-request-id": long } }),
  );
  const { attributes = {} } = told()[0] ?? {};
  for (const name of ["user_agent", "t", "guid:x-request-id"]) {
    assert.equal(attributes[name], "é".repeat(1_024), name);
  }
});
