import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseResources } from "../parse-resources.ts";
import { parseDuration } from "./duration.ts";

const durations: [text: string, nanoseconds: number | undefined][] = [
  ["0", 0],
  ["1ns", 1],
  ["1.5us", 1500],
  ["2µs", 2000],
  ["1ms", 1e6],
  ["0.001s", 1e6],
  [".5s", 5e8],
  ["1.s", 1e9],
  ["1h30m", 5400e9],
  ["-1s", -1e9],
  ["0.0000005s", 500],
  ["1.0000000009s", 1e9],
  ["2562047h", 2562047 * 3600e9],
  ["2562048h", undefined],
  ["", undefined],
  ["1", undefined],
  ["s", undefined],
  [".s", undefined],
  ["1d", undefined],
  ["5e-07s", undefined],
  ["1s ", undefined],
];
for (const [text, nanoseconds] of durations) {
  test(`${JSON.stringify(text)} is ${nanoseconds ?? "no duration"}`, () => {
    assert.equal(parseDuration(text), nanoseconds);
  });
}

test("a duration of several units is the sum of its parts", () => {
  const amount = fc.integer({ min: 0, max: 1000 });
  fc.assert(
    fc.property(amount, amount, amount, (hours, seconds, milliseconds) => {
      const sum = hours * 3600e9 + seconds * 1e9 + milliseconds * 1e6;
      assert.equal(parseDuration(`${hours}h${seconds}s${milliseconds}ms`), sum);
    }),
  );
});

const KINDS: [what: string, kind: string, spec: string, path: string][] = [
  [
    "a route",
    "VirtualService",
    "{hosts: [a.b], http: [{timeout: 5, route: [{destination: {host: a.b}}]}]}",
    "spec.http[0].timeout",
  ],
  [
    "retries",
    "VirtualService",
    "{hosts: [a.b], http: [{retries: {attempts: 2, perTryTimeout: 2}, route: [{destination: {host: a.b}}]}]}",
    "spec.http[0].retries.perTryTimeout",
  ],
  [
    "a connection pool",
    "DestinationRule",
    "{host: a.b, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 30}}}}",
    "spec.trafficPolicy.connectionPool.tcp.connectTimeout",
  ],
  [
    "outlier detection",
    "DestinationRule",
    "{host: a.b, trafficPolicy: {outlierDetection: {baseEjectionTime: true}}}",
    "spec.trafficPolicy.outlierDetection.baseEjectionTime",
  ],
];
for (const [what, kind, spec, path] of KINDS) {
  test(`a duration of ${what} that is no text is told once, with the way out`, () => {
    const text = `{apiVersion: networking.istio.io/v1, kind: ${kind}, metadata: {name: a, namespace: b}, spec: ${spec}}`;
    const found = parseResources(text, "mesh.yaml").issues.filter((issue) => issue.path === path);
    assert.equal(found.length, 1);
    assert.match(
      found[0]?.problem ?? "",
      /^is the (number|boolean) \S+; expected a duration such as "5s"$/,
    );
  });
}

test("jwtRules: a timeout that is no text, an issuer that is none", () => {
  const text = `{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: a, namespace: b}, spec: {jwtRules: [{issuer: 5, timeout: 5}]}}`;
  const found = parseResources(text, "mesh.yaml").issues.map(
    ({ path, problem }) => `${path} ${problem}`,
  );
  assert.deepEqual(found, [
    'spec.jwtRules[0].issuer is the number 5; expected text: write "5"',
    'spec.jwtRules[0].timeout is the number 5; expected a duration such as "5s"',
  ]);
});
