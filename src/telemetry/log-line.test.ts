import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LoggedCallParts, loggedCall } from "../../test/kit/logged-call.ts";
import type { LogFormat } from "../api/mesh-settings.ts";
import { compileLogFormat } from "./log-line.ts";

const lineOf = (format: LogFormat, parts: LoggedCallParts = {}): string =>
  compileLogFormat(format)(loggedCall(parts));
const textOf = (template: string, parts?: LoggedCallParts): string =>
  lineOf({ encoding: "TEXT", template }, parts);

const full: LoggedCallParts = {
  entry: {
    path: "/get",
    response_code: 403,
    response_code_details: "rbac_access_denied_matched_policy[ns[shop]-policy[a b]-rule[0]]",
    bytes_sent: 19,
    duration: 0,
    user_agent: "curl/8",
    request_id: "id",
    x_forwarded_for: "10.0.0.9",
    requested_server_name: "outbound_.8000_._.httpbin.default.svc.cluster.local",
  },
  requestHeaders: { "user-agent": "curl/8", "x-request-id": "id", "x-forwarded-for": "10.0.0.9" },
  upstreamServiceMs: 4,
};

test("OBS-1 Istio's text, field by field", () => {
  assert.equal(
    lineOf({ encoding: "TEXT" }, full),
    '[2026-01-01T00:00:00.000Z] "GET /get HTTP/1.1" 403 - rbac_access_denied_matched_policy[ns[shop]-policy[a_b]-rule[0]] - "-" 0 19 0 4 "10.0.0.9" "curl/8" "id" "api:8080" "127.0.0.1:20002" inbound|8080|| 127.0.0.1:46320 127.0.0.1:20003 127.0.0.1:46622 outbound_.8000_._.httpbin.default.svc.cluster.local default',
  );
});

test("OBS-2 Istio's JSON, field by field, in this order", () => {
  assert.equal(
    lineOf({ encoding: "JSON" }, full),
    JSON.stringify({
      start_time: "2026-01-01T00:00:00.000Z",
      method: "GET",
      path: "/get",
      protocol: "HTTP/1.1",
      response_code: 403,
      response_flags: "-",
      response_code_details: "rbac_access_denied_matched_policy[ns[shop]-policy[a_b]-rule[0]]",
      connection_termination_details: null,
      upstream_transport_failure_reason: null,
      bytes_received: 0,
      bytes_sent: 19,
      duration: 0,
      upstream_service_time: "4",
      x_forwarded_for: "10.0.0.9",
      user_agent: "curl/8",
      request_id: "id",
      authority: "api:8080",
      upstream_host: "127.0.0.1:20002",
      upstream_cluster: "inbound|8080||",
      upstream_local_address: "127.0.0.1:46320",
      downstream_local_address: "127.0.0.1:20003",
      downstream_remote_address: "127.0.0.1:46622",
      requested_server_name: "outbound_.8000_._.httpbin.default.svc.cluster.local",
      route_name: "default",
    }),
  );
});

const ipv6: LoggedCallParts = { entry: { downstream_remote_address: "[fd00::7]:99" } };
const templates: [template: string, parts: LoggedCallParts, line: string][] = [
  ["no operator, 100%% sure", {}, "no operator, 100% sure"],
  ["a line end\n", {}, "a line end"],
  ["%REQ(X-NONE)%|%REQ(X-NONE?USER-AGENT)%|%RESP(X-NONE)%", full, "-|curl/8|-"],
  ["%REQ(user-agent):4%", full, "curl"],
  ["%REQ(:METHOD)% %REQ(:AUTHORITY)% %REQ(:SCHEME)%", full, "GET api:8080 http"],
  [
    "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    { ...full, requestHeaders: { "x-envoy-original-path": "/lie" } },
    "/get",
  ],
  ["%REQ_WITHOUT_QUERY(:PATH)%", { entry: { path: "/a?token=b" } }, "/a"],
  [
    "%RESPONSE_CODE% %PROTOCOL% %ROUTE_NAME%",
    { entry: { protocol: "TCP", method: null, response_code: null } },
    "0 - -",
  ],
  ["%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_REMOTE_PORT%", ipv6, "fd00::7 99"],
  ["%DOWNSTREAM_PEER_URI_SAN%", {}, "spiffe://cluster.local/ns/production/sa/frontend"],
  ["%DOWNSTREAM_PEER_URI_SAN%", { entry: { reporter: "source" } }, "-"],
  ["%DOWNSTREAM_PEER_SERIAL%", {}, "e96ea000ac8a49e3"],
  ["%START_TIME(%Y/%m/%dT%H:%M:%S.%3f%z %s)%", {}, "2026/01/01T00:00:00.000+0000 1767225600"],
  ["%START_TIME(%j %b %a %q)%", {}, "001 Jan Thu %q"],
  ["%NO_SUCH% %TRAILER(A)%", {}, "- -"],
  ["%lower% %REQ(", {}, "%lower% %REQ("],
];
for (const [template, parts, line] of templates) {
  test(`${JSON.stringify(template)} is written as ${JSON.stringify(line)}`, () => {
    assert.equal(textOf(template, parts), line);
  });
}

test("JSON of one's own keeps types, nests, and joins what is more than one operator", () => {
  const template = JSON.stringify({
    code: "%RESPONSE_CODE%",
    both: "%REQ(:METHOD)% %REQ(X-NONE)%",
    none: "%REQ(X-NONE)%",
    unknown: "%NO_SUCH%",
    nested: { list: ["%DURATION%", 5, true, null], __proto__x: "a" },
  });
  assert.deepEqual(JSON.parse(lineOf({ encoding: "JSON", template }, full)), {
    code: 403,
    both: "GET -",
    none: null,
    unknown: "-",
    nested: { list: [0, 5, true, null], __proto__x: "a" },
  });
});

test("a name that JavaScript has plans for is a name", () => {
  const template = '{"__proto__": "%REQ(:METHOD)%"}';
  assert.equal(lineOf({ encoding: "JSON", template }), '{"__proto__":"GET"}');
});

test("what is absent may be left out", () => {
  const template = '{"none": "%REQ(X-NONE)%", "code": "%RESPONSE_CODE%"}';
  assert.equal(lineOf({ encoding: "JSON", template, omitEmpty: true }), '{"code":200}');
  const text = { encoding: "TEXT", template: "<%REQ(X-NONE)%>", omitEmpty: true } as const;
  assert.equal(lineOf(text), "<>");
});

const hostile: [value: string, written: string][] = [
  ['a" 200 "forged', String.raw`a\" 200 \"forged`],
  ["a\\", String.raw`a\\`],
  ["\u009b31m", String.raw`\u{9b}31m`],
  ["\u202egnp", String.raw`\u{202e}gnp`],
  ["line\nfeed", String.raw`line\u{a}feed`],
];
for (const [value, written] of hostile) {
  test(`a stranger's ${JSON.stringify(value)} stays in its field`, () => {
    const parts = { requestHeaders: { "user-agent": value }, entry: { path: "/" } };
    assert.equal(textOf('"%REQ(USER-AGENT)%"', parts), `"${written}"`);
  });
}

test("a long header is told at its beginning", () => {
  const line = textOf("%REQ(X-LONG)%", { requestHeaders: { "x-long": "a".repeat(5_000) } });
  assert.equal(line, `${"a".repeat(1_024)}…`);
});

test("an empty header is empty, and not absent", () => {
  assert.equal(textOf('"%REQ(X-EMPTY)%"', { requestHeaders: { "x-empty": "" } }), '""');
});

test("a server name with blanks in it is one field", () => {
  const parts = { entry: { requested_server_name: "a default 200" } };
  assert.equal(textOf("%REQUESTED_SERVER_NAME%", parts), "a_default_200");
});

test("law: whatever strangers send, a line of text is one line, and JSON is JSON", () => {
  const texts = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(texts, texts, texts, (path, agent, name) => {
      const parts = {
        entry: { path, user_agent: agent, requested_server_name: name },
        requestHeaders: { "user-agent": agent },
      };
      assert.doesNotMatch(lineOf({ encoding: "TEXT" }, parts), /[\p{Cc}\p{Zl}\p{Zp}]/u);
      const json = lineOf({ encoding: "JSON" }, parts);
      assert.doesNotMatch(json, /[\p{Cc}\p{Zl}\p{Zp}]/u);
      assert.equal(JSON.parse(json).path, path);
    }),
  );
});
