import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type LoggedCallParts, loggedCall } from "../../test/kit/logged-call.ts";
import { runCel } from "../../test/kit/run-cel.ts";
import { parsedCel } from "../api/cel-expression.ts";
import { readCelTree } from "../api/read-cel-tree.ts";
import { compileLogFilter, type LogCondition } from "./log-condition.ts";

function conditionOf(expression: string): LogCondition {
  const tree = readCelTree(parsedCel(expression));
  if (typeof tree === "string") throw new Error(`${expression} ${tree}`);
  return compileLogFilter({ expression, tree });
}

const connection: LoggedCallParts = {
  entry: {
    protocol: "TCP",
    method: null,
    path: null,
    authority: null,
    response_code: null,
    response_code_details: null,
  },
};
const plaintext: LoggedCallParts = { entry: { source_principal: null } };
const failed: LoggedCallParts = { entry: { response_code: 503, response_flags: "UF,NR" } };
const outbound: LoggedCallParts = { entry: { reporter: "source" } };
const long: LoggedCallParts = { entry: { path: "/a…" }, path: `/a${"a".repeat(2_000)}/admin` };
const headers: LoggedCallParts = {
  requestHeaders: { "x-team": "shop", "content-length": "12", "x-forwarded-proto": "https" },
  responseHeaders: { "grpc-status": "7" },
  upstreamServiceMs: 3,
  certificateHash: "ab01",
};
const ARTICLE = "response.code >= 400 || connection.mtls == false";
const ID = "spiffe://cluster.local/ns/production/sa";

const cases: [expression: string, parts: LoggedCallParts, logged: boolean][] = [
  [ARTICLE, {}, false],
  [ARTICLE, failed, true],
  [ARTICLE, plaintext, true],
  // A connection over mutual TLS: the code is absent, and the other side does not decide.
  [ARTICLE, connection, false],
  [ARTICLE, { entry: { ...connection.entry, source_principal: null } }, true],
  ["response.code >= 400", connection, false],
  ["!(response.code >= 400)", connection, false],
  ["has(response.code)", connection, false],
  ["!has(response.code)", connection, true],
  ["!has(response.code)", {}, false],
  ["response.code in [200, 404]", {}, true],
  ["[500, 503].exists(c, c == response.code)", failed, true],
  ["[500, 503].all(c, c != response.code)", {}, true],
  ["[500, 503].exists(c, c == response.code)", connection, false],
  ["response.code_details == 'via_upstream'", {}, true],
  ["response.flags == 0", {}, true],
  ["response.flags == 288", failed, true],
  ["response.size > 0 && request.size == 0", {}, true],
  ["request.path.startsWith('/api/') && request.method == 'GET'", {}, true],
  ["request.url_path == '/a' && request.query == 'b=1'", { entry: { path: "/a?b=1" } }, true],
  ["request.path == '/a?b=1'", { entry: { path: "/a?b=1" } }, true],
  ["request.host == 'api:8080' && request.protocol == 'HTTP/1.1'", {}, true],
  ["request.host.endsWith(':8080') || request.host.contains('x')", {}, true],
  ["request.headers['X-Team'] == 'shop'", headers, true],
  ["request.headers['x-none'] == 'shop'", headers, false],
  ["request.headers['x-none'] != 'shop'", headers, false],
  ["'x-team' in request.headers && !('x-none' in request.headers)", headers, true],
  ["has(request.headers.x)", headers, false],
  ["request.headers[':path'] == request.path", {}, true],
  ["request.headers.exists(name, name == 'x-team')", headers, false],
  ["request['method'] == 'GET'", {}, true],
  ["request.size == 12 && request.scheme == 'https'", headers, true],
  ["response.grpc_status == 7 && response.headers['grpc-status'] == '7'", headers, true],
  ["has(response.grpc_status)", {}, false],
  ["connection.sha256_peer_certificate_digest == 'ab01'", headers, true],
  ["request.duration >= duration('2ms') && request.duration < duration('1s')", {}, true],
  ["request.duration > duration('1s')", {}, false],
  ["response.backend_latency == duration('3ms')", headers, true],
  ["request.time > timestamp('2025-12-31T23:59:59Z')", {}, true],
  ["request.time - timestamp('2025-12-31T23:59:59Z') == duration('1s')", {}, true],
  ["source.address == '127.0.0.1:46622' && source.port == 46622", {}, true],
  ["destination.port == 20003 && upstream.port == 20002", {}, true],
  ["upstream.address == '127.0.0.1:20002'", {}, true],
  ["has(upstream.transport_failure_reason)", {}, false],
  [`connection.uri_san_peer_certificate == '${ID}/frontend'`, {}, true],
  [`connection.uri_san_local_certificate == '${ID}/api'`, {}, true],
  ["has(connection.uri_san_peer_certificate)", outbound, false],
  [`upstream.uri_san_peer_certificate == '${ID}/api'`, outbound, true],
  ["connection.mtls", {}, true],
  ["connection.mtls", outbound, false],
  ["xds.listener_direction == 1", {}, true],
  ["xds.listener_direction == 2", outbound, true],
  ["xds.cluster_name == 'inbound|8080||' && xds.route_name == 'default'", {}, true],
  ["has(xds.filter_chain_name) || has(connection.tls_version)", {}, false],
  ["connection.tls_version == 'TLSv1.3'", {}, false],
  ["metadata['a'] == 'b' || 'a' in filter_state", {}, false],
  ["no_such_thing", {}, false],
  ["no_such_thing || true", {}, true],
  ["response.code", {}, false],
  ["'true'", {}, false],
  ["true", {}, true],
  ["request.path.endsWith('/admin') && request.url_path.matches('/admin$')", long, true],
  ["request.url_path.matches('^/api/v[0-9]+/')", {}, true],
  ["!request.url_path.matches('^/health')", {}, true],
  ["request.headers['x-none'].matches('a')", {}, false],
  ["(request.method + 'a').matches('GETa')", {}, true],
  ["9223372036854775807 + 1 > 0", {}, false],
  ["9223372036854775806 + 1 > 0", {}, true],
  ["7 % 3 == 1 && 7u % 3u == 1u", {}, true],
  ["response.code == 200 ? true : no_such_thing", {}, true],
  ["size(request.method) == 3 && request.method.size() == 3", {}, true],
  ["string(response.code) == '200' && int('200') == response.code", {}, true],
];
for (const [expression, parts, logged] of cases) {
  test(`OBS-12, OBS-13 ${expression} of ${JSON.stringify(parts).slice(0, 60)}: ${logged}`, () => {
    assert.equal(conditionOf(expression)(loggedCall(parts)), logged);
  });
}

test("a filter without a tree logs nothing", () => {
  assert.equal(compileLogFilter({ expression: "a" })(loggedCall()), false);
});

test("loops within loops end, whatever they are over", () => {
  const list = `[${Array.from({ length: 40 }, (_, index) => index).join(",")}]`;
  const loops = ["a", "b", "c", "d"].reduceRight(
    (inner, name) => `${list}.all(${name}, ${inner})`,
    "true",
  );
  const condition = conditionOf(loops);
  const begun = performance.now();
  assert.equal(condition(loggedCall()), false);
  assert.ok(performance.now() - begun < 1_000);
});

const literals = fc.oneof(
  fc.constantFrom("0", "1", "-1", "7", "9223372036854775807", "-9223372036854775808"),
  fc.constantFrom("0u", "1u", "7u", "18446744073709551615u"),
  fc.constantFrom("0.5", "1.0", "-2.5"),
  fc.constantFrom("''", "'a'", "'ab'", "'\u{1f600}'", "'\uffee'", "'7'"),
  fc.constantFrom("true", "false", "null", "missing", "[]", "[1, 'a']", "[1.0, true]"),
);
/** Expressions of every function that filters may call, well typed or not. */
const { expressions } = fc.letrec<{ expressions: string }>((tie) => ({
  expressions: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    literals,
    fc
      .tuple(
        tie("expressions"),
        fc.constantFrom(
          "&&",
          "||",
          "==",
          "!=",
          "<",
          "<=",
          ">",
          ">=",
          "in",
          "+",
          "-",
          "*",
          "/",
          "%",
        ),
        tie("expressions"),
      )
      .map(([one, operator, other]) => `(${one} ${operator} ${other})`),
    tie("expressions").map((one) => `!(${one})`),
    tie("expressions").map((one) => `-(${one})`),
    fc
      .tuple(fc.constantFrom("size", "int", "string"), tie("expressions"))
      .map(([name, one]) => `${name}(${one})`),
    fc
      .tuple(
        tie("expressions"),
        fc.constantFrom("contains", "startsWith", "endsWith"),
        tie("expressions"),
      )
      .map(([one, name, other]) => `(${one}).${name}(${other})`),
    fc.tuple(tie("expressions"), tie("expressions")).map(([one, at]) => `(${one})[${at}]`),
    fc
      .tuple(tie("expressions"), tie("expressions"), tie("expressions"))
      .map(([one, other, third]) => `(${one} ? ${other} : ${third})`),
    fc
      .tuple(fc.constantFrom("all", "exists", "exists_one"), tie("expressions"))
      .map(([name, body]) => `[1, 2, 'a'].${name}(x, x == 1 || ${body})`),
  ),
}));

test("OBS-12 law: what is true, false and an error is what another evaluator of CEL finds", () => {
  fc.assert(
    fc.property(expressions, (expression) => {
      const tree = readCelTree(parsedCel(expression));
      fc.pre(typeof tree !== "string");
      const expected = runCel(expression, {});
      const holds = (text: string): boolean => conditionOf(text)(loggedCall());
      assert.equal(holds(expression), expected === true);
      assert.equal(holds(`!(${expression})`), expected === false);
    }),
    { numRuns: 400 },
  );
});
