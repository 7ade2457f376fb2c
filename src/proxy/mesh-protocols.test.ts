import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CallContent,
  CHOSEN_PROTOCOLS,
  MESH_HTTP,
  MESH_TCP,
  MULTIPLEXED_HTTP_1,
  negotiatedFraming,
  OFFERED_PROTOCOLS,
  requestProtocol,
} from "./mesh-protocols.ts";

/** As OpenSSL chooses, of our servers and of Envoy's: the server's first that the client has. */
function chosen(server: readonly string[], client: readonly string[]): string | undefined {
  return server.find((name) => client.includes(name));
}

const ENVOY_HTTP = ["h2", "http/1.1"];
const ENVOY_TCP = ["istio-peer-exchange", "h2", "http/1.1"];
const { http: OUR_HTTP, tcp: OUR_TCP } = CHOSEN_PROTOCOLS;

/** What our callers agree on, and so speak. */
const calls: [content: CallContent, callee: string, readonly string[], agreed?: string][] = [
  ["HTTP/1.1", "our HTTP chain", OUR_HTTP, MULTIPLEXED_HTTP_1],
  ["HTTP/1.1", "our TCP chain", OUR_TCP, "http/1.1"],
  ["HTTP/1.1", "Envoy's HTTP chain", ENVOY_HTTP, "http/1.1"],
  ["HTTP/1.1", "Envoy's TCP chain", ENVOY_TCP, "http/1.1"],
  ["HTTP/2", "our HTTP chain", OUR_HTTP, "h2"],
  ["HTTP/2", "our TCP chain", OUR_TCP],
  ["HTTP/2", "Envoy's HTTP chain", ENVOY_HTTP, "h2"],
  ["HTTP/2", "Envoy's TCP chain", ENVOY_TCP, "h2"],
  ["upgrade", "our HTTP chain", OUR_HTTP, "http/1.1"],
  ["upgrade", "Envoy's HTTP chain", ENVOY_HTTP, "http/1.1"],
  ["tcp", "our HTTP chain", OUR_HTTP],
  ["tcp", "our TCP chain", OUR_TCP],
  ["tcp", "Envoy's TCP chain", ENVOY_TCP],
];
for (const [content, callee, server, agreed] of calls) {
  test(`TLS-2, TLS-35: ${content} to ${callee}: ${agreed ?? "nothing is agreed on"}`, () =>
    assert.equal(chosen(server, OFFERED_PROTOCOLS[content]), agreed));
}

const ENVOY_HTTP_1 = ["istio-http/1.1", "istio", "http/1.1"];
const ENVOY_HTTP_1_0 = ["istio-http/1.0", "istio", "http/1.0"];
const ENVOY_HTTP_2 = ["istio-h2", "istio", "h2"];
/** What others agree on with our HTTP chains. */
const callers: [who: string, offered: readonly string[], agreed?: string][] = [
  ["Envoy, HTTP/1.1", ENVOY_HTTP_1, "http/1.1"],
  ["Envoy, HTTP/1.0", ENVOY_HTTP_1_0],
  ["Envoy, HTTP/2", ENVOY_HTTP_2, "h2"],
  ["Envoy, TCP", ["istio-peer-exchange", "istio"]],
  ["curl", ["h2", "http/1.1"], "h2"],
  ["a client without ALPN", []],
  ["a client of something else", ["imap"]],
];
for (const [who, offered, agreed] of callers) {
  test(`TLS-2: ${who} calls an HTTP chain: ${agreed ?? "nothing is agreed on"}`, () =>
    assert.equal(chosen(OUR_HTTP, offered), agreed));
}

test("TLS-35: to Envoy our callers look like Envoys", () => {
  assert.deepEqual(OFFERED_PROTOCOLS["HTTP/1.1"].slice(1), ENVOY_HTTP_1);
  assert.deepEqual(OFFERED_PROTOCOLS.upgrade, ENVOY_HTTP_1);
  assert.deepEqual(OFFERED_PROTOCOLS["HTTP/2"], ENVOY_HTTP_2);
});

test("PA-30: what a caller offers selects the chain for what it carries", () => {
  for (const content of ["HTTP/1.1", "HTTP/2", "upgrade"] as const) {
    assert.ok(OFFERED_PROTOCOLS[content].some((name) => MESH_HTTP.includes(name)));
  }
  assert.ok(OFFERED_PROTOCOLS.tcp.every((name) => MESH_TCP.includes(name)));
});

test("every name that our callees choose says what is spoken", () => {
  for (const name of [...OUR_HTTP, ...OUR_TCP]) assert.ok(negotiatedFraming(name), name);
  for (const none of [false, null, undefined, "", "istio", "http/1.0"] as const) {
    assert.equal(negotiatedFraming(none), undefined);
  }
});

test("requests of HTTP/1.1 stay what they are in the frames of HTTP/2", () => {
  assert.equal(negotiatedFraming(MULTIPLEXED_HTTP_1), "HTTP/2");
  assert.equal(requestProtocol("HTTP/2", MULTIPLEXED_HTTP_1), "HTTP/1.1");
  assert.equal(requestProtocol("HTTP/2", "h2"), "HTTP/2");
  assert.equal(requestProtocol("HTTP/1.0", "http/1.1"), "HTTP/1.0");
  assert.equal(requestProtocol("HTTP/2", false), "HTTP/2");
});
