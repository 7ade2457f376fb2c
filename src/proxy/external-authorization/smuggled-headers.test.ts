/** Headers that an authorizer writes, and a client sends as well: in every way in which an application may read them (QK-74). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import { closeStages, grpc, http, type Stage, stage } from "../../../test/kit/authorizer-stage.ts";
import { allowing, grpcAuthorizer } from "../../../test/kit/grpc-authorizer.ts";
import { serveHttp1 } from "../../../test/kit/own-calls-stage.ts";
import { LOOPBACK } from "../../../test/kit/sidecar-fixture.ts";

const ends: (() => unknown)[] = [];
/** Of the file, and not of the test that happens to run. */
const context = {
  after: (end?: unknown) => void (typeof end === "function" && ends.push(() => end())),
};
after(async () => {
  await closeStages();
  for (const end of ends) end();
});

const OK = {
  headers: [{ header: { key: "x-user", value: "alice" } }],
  headers_to_remove: ["x-role"],
};

const authorizers: readonly [what: string, make: () => Promise<Stage>][] = [
  [
    "over gRPC",
    async () => {
      const { port: opa } = await grpcAuthorizer(context, allowing(OK));
      return stage({ authorizers: [grpc("opa")], ports: { opa } });
    },
  ],
  [
    "over HTTP",
    async () => {
      const opa = await serveHttp1(context, (_, reply) => reply.setHeader("x-user", "alice").end());
      const settings = { headersToUpstreamOnAllow: ["x-user"] };
      return stage({ authorizers: [http("opa", settings)], ports: { opa } });
    },
  ],
];

const smuggled: readonly [what: string, before: string, behind: string][] = [
  ["before it", "X-User: root\r\n", ""],
  ["twice", "x-user: root\r\nX-USER: root\r\n", ""],
  ["with an underscore", "X_User: root\r\n", ""],
  ["named by Connection", "x-user: root\r\nConnection: x-user\r\n", ""],
  ["behind the body", "", "x-user: root\r\n"],
  ["behind the body, with an underscore", "", "X_User: root\r\n"],
];

for (const [what, make] of authorizers) {
  let one: Stage | undefined;
  for (const [where, before, behind] of smuggled)
    test(`QK-74: an authorizer ${what} says x-user, and the client too, ${where}: the application hears one`, async () => {
      one ??= await make();
      const head = `POST /api/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n${before}\r\n`;
      const text = await answerTo(one, `${head}2\r\nhi\r\n0\r\n${behind}\r\n`);
      const { headers, trailers, body } = JSON.parse(
        text.slice(text.indexOf('{"url"'), text.lastIndexOf("}") + 1),
      );
      assert.deepEqual([headers["x-user"], trailers, body], ["alice", [], "hi"]);
      assert.ok(!text.includes("root"), text);
    });
}

async function answerTo({ port }: Stage, request: string): Promise<string> {
  const socket = connect(port, LOOPBACK);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk;
  });
  socket.write(request);
  await once(socket, "close");
  return text;
}
