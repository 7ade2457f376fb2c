import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedMessageError } from "./join-request.ts";
import { parseMeshRequest } from "./mesh-socket-messages.ts";

const request = {
  name: "billing",
  namespace: "production",
  serviceAccount: "billing",
  labels: { team: "money" },
  ports: [{ port: 8080, protocol: "http", listensOn: 9090 }],
  program: "npm",
};
const join = { type: "join", request, processIds: [12] };

test("what is well formed is read as it is", () => {
  for (const message of [join, { type: "processes", processIds: [2, 3] }, { type: "status" }]) {
    assert.deepEqual(parseMeshRequest(JSON.parse(JSON.stringify(message))), message);
  }
});

test("what else a message holds is dropped", () => {
  const parsed = parseMeshRequest({ type: "stop", __proto__: null, more: 1 });
  assert.deepEqual(parsed, { type: "stop" });
});

const withRequest = (changes: object): unknown => ({
  ...join,
  request: { ...request, ...changes },
});
const tooMany = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 2);

const malformed: [what: string, message: unknown, problem: RegExp][] = [
  ["nothing", undefined, /message: expected an object/],
  ["a list", [], /message: expected an object/],
  ["no type", {}, /type: expected/],
  ["a name that is no text", withRequest({ name: 1 }), /name: expected a text/],
  ["a name too long", withRequest({ name: "x".repeat(254) }), /name: expected a text of at most/],
  ["a label that is no text", withRequest({ labels: { a: {} } }), /label a: expected a text/],
  ["labels that are a list", withRequest({ labels: [] }), /labels: expected an object/],
  [
    "too many labels",
    withRequest({ labels: Object.fromEntries(tooMany(65).map((at) => [`k${at}`, ""])) }),
    /labels: expected at most 64/,
  ],
  ["ports that are no list", withRequest({ ports: {} }), /ports: expected a list/],
  ["too many ports", withRequest({ ports: tooMany(33) }), /ports: expected a list of at most 32/],
  ["port 0", withRequest({ ports: [{ port: 0, protocol: "tcp" }] }), /port: expected a port/],
  ["a protocol", withRequest({ ports: [{ port: 1, protocol: "udp" }] }), /protocol: expected auto/],
  [
    "a place to listen",
    withRequest({ ports: [{ port: 1, protocol: "tcp", listensOn: 70_000 }] }),
    /listensOn: expected a port/,
  ],
  ["half a process", { ...join, processIds: [1.5] }, /processIds: expected numbers above 1/],
  ["a process group", { ...join, processIds: [-5] }, /processIds: expected numbers above 1/],
  ["too many processes", { ...join, processIds: tooMany(17) }, /a list of at most 16/],
];
for (const [what, message, problem] of malformed) {
  test(`refuses ${what}`, () => {
    assert.throws(
      () => parseMeshRequest(message),
      (error) => error instanceof MalformedMessageError && problem.test(error.message),
    );
  });
}
