/** RFC 9110 section 7.6.1: by `Connection` a client says what one hop is to keep for itself; who called is none of it. */
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import {
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
const ADMINS = policy("ALLOW", "admins", {
  when: [{ key: "request.headers[x-role]", values: ["admin"], notValues: [] }],
});

async function stage(): Promise<{ readonly port: number; readonly heard: IncomingHttpHeaders[] }> {
  const heard: IncomingHttpHeaders[] = [];
  const application = await listening(
    createServer((incoming, response) => {
      heard.push(incoming.headers);
      response.end();
    }),
  );
  const port = await freePort();
  const ports = [
    inboundPort({ listen: port, application: portOf(application), mode: "PERMISSIVE" }),
  ];
  const view = workloadView({ rootsPem, ports, policies: [ADMINS] });
  await start({ view, svid: mesh.svid(idOf("api")) });
  return { port, heard };
}

async function ask(port: number, fields: readonly string[]): Promise<number> {
  const socket = connect({ port, host: LOOPBACK });
  socket.write(`GET / HTTP/1.1\r\nHost: api\r\n${fields.join("\r\n")}\r\n\r\n`);
  let seen = "";
  for await (const chunk of socket) seen += chunk;
  return Number(/^HTTP\/1\.1 (\d+)/.exec(seen)?.[1]);
}

const rows: [fields: readonly string[], status: number][] = [
  [["Connection: close", "X-Role: admin"], 200],
  [["Connection: close, x-role", "X-Role: admin"], 403],
  [["Connection: close, x-forwarded-for", "X-Role: admin"], 400],
  [["Connection: close", "Connection: X-Forwarded-Proto", "X-Role: admin"], 400],
  [["Connection: close, x-forwarded-host", "X-Role: admin"], 400],
  [["Connection: close, Authorization", "Authorization: Bearer x", "X-Role: admin"], 400],
  [["Connection: cookie,close", "Cookie: a=1", "X-Role: admin"], 400],
];
for (const [fields, status] of rows) {
  test(`RFC 9110 section 7.6.1: ${status} to ${fields.join(", ")}`, async () => {
    const { port, heard } = await stage();
    assert.equal(await ask(port, fields), status);
    assert.equal(heard.length, status === 200 ? 1 : 0);
  });
}

test("nobody says of himself that he is internal", async () => {
  const { port, heard } = await stage();
  const fields = ["Connection: close", "X-Role: admin", "X-Envoy-Internal: true"];
  assert.equal(await ask(port, fields), 200);
  assert.equal(heard[0]?.["x-envoy-internal"], undefined);
});
