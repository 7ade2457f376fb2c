import assert from "node:assert/strict";
import { test } from "node:test";
import { BadOptionError, type JoinOptions, parseJoinOptions } from "./parse-join-options.ts";

const options: JoinOptions = { name: "billing", namespace: "production", serviceAccount: "sa" };

test("what is said is asked for", () => {
  const request = parseJoinOptions(
    {
      ...options,
      port: ["8080", "http:80", "http2:50051", "tcp:6379"],
      label: ["team=money", "empty="],
    },
    "/usr/bin/npm",
  );
  assert.deepEqual(request, {
    ...options,
    labels: { team: "money", empty: "" },
    ports: [
      { port: 8080, protocol: "auto" },
      { port: 80, protocol: "http" },
      { port: 50051, protocol: "http2" },
      { port: 6379, protocol: "tcp" },
    ],
    program: "npm",
  });
});

const places: [listensOn: string[], ports: string[], expected: (number | undefined)[]][] = [
  [["3000"], ["8080"], [3000]],
  [["8080=3000"], ["8080"], [3000]],
  [
    ["6379=6380", "8080=3000"],
    ["8080", "tcp:6379"],
    [3000, 6380],
  ],
  [["6379=6380"], ["8080", "tcp:6379"], [undefined, 6380]],
];
for (const [listensOn, port, expected] of places) {
  test(`--listens-on ${listensOn.join(" ")} beside --port ${port.join(" ")}`, () => {
    const { ports } = parseJoinOptions({ ...options, port, listensOn }, "npm");
    assert.deepEqual(
      ports.map((each) => each.listensOn),
      expected,
    );
  });
}

const refused: [changes: Partial<JoinOptions>, problem: RegExp][] = [
  [{ port: ["0"] }, /--port 0: expected PORT, http:PORT, http2:PORT or tcp:PORT/],
  [{ port: ["65536"] }, /--port 65536/],
  [{ port: ["http"] }, /--port http/],
  [{ port: ["grpc:80"] }, /--port grpc:80/],
  [{ port: ["80", "http:80"] }, /--port names a port twice/],
  [{ listensOn: ["3000"] }, /--listens-on 3000: expected PORT beside one --port/],
  [{ port: ["80", "81"], listensOn: ["3000"] }, /--listens-on 3000/],
  [{ port: ["80"], listensOn: ["81=3000"] }, /--listens-on 81=3000/],
  [{ port: ["80"], listensOn: ["80=0"] }, /--listens-on 80=0/],
  [{ label: ["team"] }, /--label team: expected KEY=VALUE/],
  [{ label: ["=x"] }, /--label =x/],
];
for (const [changes, problem] of refused) {
  test(`refuses ${JSON.stringify(changes)}`, () => {
    assert.throws(
      () => parseJoinOptions({ ...options, ...changes }, "npm"),
      (error) => error instanceof BadOptionError && problem.test(error.message),
    );
  });
}
