import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  CONNECTED_LINE,
  connectLine,
  failedLine,
  MAX_GATE_LINE_BYTES,
  parseGateAnswer,
  parseGateRequest,
} from "./gate-lines.ts";

const requests: [line: string, meaning: ReturnType<typeof parseGateRequest>][] = [
  ["DNS", { wanted: "names" }],
  ["CONNECT 192.0.2.1 443", { wanted: "connection", target: "192.0.2.1", port: 443 }],
  ["CONNECT 2001:db8::1 65535", { wanted: "connection", target: "2001:db8::1", port: 65535 }],
  ["CONNECT shop/api 8080", { wanted: "connection", target: "shop/api", port: 8080 }],
  ["", undefined],
  ["dns", undefined],
  ["DNS ", undefined],
  ["CONNECT 192.0.2.1", undefined],
  ["CONNECT 192.0.2.1 0", undefined],
  ["CONNECT 192.0.2.1 65536", undefined],
  ["CONNECT 192.0.2.1 080", undefined],
  ["CONNECT 192.0.2.1  80", undefined],
  ["CONNECT 192.0.2.1 80 ", undefined],
  ["CONNECT 192.0.2.1 80\r", undefined],
  ["CONNECT a b 80", undefined],
  [" CONNECT 192.0.2.1 80", undefined],
  ["DISCONNECT 192.0.2.1 80", undefined],
  ["GET / HTTP/1.1", undefined],
];
for (const [line, meaning] of requests) {
  test(`the request "${line}"`, () => assert.deepEqual(parseGateRequest(line), meaning));
}

const answers: [line: string, meaning: ReturnType<typeof parseGateAnswer>][] = [
  ["OK", "connected"],
  ["FAILED ECONNREFUSED", { failed: "ECONNREFUSED" }],
  ["FAILED refused-loopback", { failed: "refused-loopback" }],
  ["FAILED", { failed: "malformed-answer" }],
  ["FAILED ECONNREFUSED now", { failed: "malformed-answer" }],
  ["NOT FAILED ECONNREFUSED", { failed: "malformed-answer" }],
  ["OK ", { failed: "malformed-answer" }],
  ["", { failed: "malformed-answer" }],
];
for (const [line, meaning] of answers) {
  test(`the answer "${line}"`, () => assert.deepEqual(parseGateAnswer(line), meaning));
}

test("law: what one side says, the other understands", () => {
  const target = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/),
  );
  fc.assert(
    fc.property(target, fc.integer({ min: 1, max: 65_535 }), (to, port) => {
      const line = connectLine(to, port);
      assert.ok(line.length <= MAX_GATE_LINE_BYTES);
      const said = parseGateRequest(line.slice(0, -1));
      assert.deepEqual(said, { wanted: "connection", target: to, port });
    }),
  );
  assert.equal(parseGateAnswer(CONNECTED_LINE.slice(0, -1)), "connected");
});

test("what is between the words of a code becomes one hyphen, however long it is", () => {
  assert.equal(failedLine("no route: to host"), "FAILED no-route-to-host\n");
});

test("law: any code of a failure stays one line, and a failure", () => {
  const codes = fc
    .array(fc.constantFrom(..."aZ9_-/ \n\r\0\u00e9\u2028"))
    .map((all) => all.join(""));
  fc.assert(
    fc.property(codes, (code) => {
      const line = failedLine(code);
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.notEqual(parseGateAnswer(line.slice(0, -1)), "connected");
      assert.notDeepEqual(parseGateAnswer(line.slice(0, -1)), { failed: "malformed-answer" });
    }),
  );
});
