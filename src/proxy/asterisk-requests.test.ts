/** `OPTIONS *` is about a server as a whole: a mesh of paths and hosts has no answer to it, as Envoy has none (AP-109). */
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
const AUTHORIZATION: readonly ReturnType<typeof policy>[] = [
  policy("ALLOW", "everything", { to: [{ paths: ["*"] }] }),
];

interface Stage extends TestSidecar {
  readonly port: number;
  readonly heard: string[];
}

async function application(heard: string[]): Promise<Server> {
  return listening(
    createServer((incoming, response) => {
      heard.push(`${incoming.method} ${incoming.url}`);
      response.end();
    }),
  );
}

async function callee(): Promise<Stage> {
  const heard: string[] = [];
  const port = await freePort();
  const settings = { listen: port, application: portOf(await application(heard)) };
  const ports = [inboundPort({ ...settings, mode: "PERMISSIVE" })];
  const view = workloadView({ rootsPem, ports, policies: AUTHORIZATION });
  return { ...(await start({ view, svid: mesh.svid(idOf("api")) })), port, heard };
}

async function caller(): Promise<Stage> {
  const heard: string[] = [];
  const port = await freePort();
  const plain = { port: portOf(await application(heard)), mutualTls: false };
  const destinations = [destination({ name: "api", listen: port, ...plain })];
  const view = workloadView({ name: "frontend", rootsPem, destinations });
  return { ...(await start({ view, svid: mesh.svid(idOf("frontend")) })), port, heard };
}

type Status = (port: number, path: string) => Promise<number>;

const overHttp1: Status = async (port, path) => {
  const socket = connect({ port, host: LOOPBACK });
  socket.write(`OPTIONS ${path} HTTP/1.1\r\nHost: api:8080\r\nConnection: close\r\n\r\n`);
  let seen = "";
  for await (const chunk of socket) seen += chunk;
  return Number(/^HTTP\/1\.1 (\d+)/.exec(seen)?.[1]);
};

const overHttp2: Status = async (port, path) => {
  const session = connectHttp2(`http://${LOOPBACK}:${port}`);
  try {
    const fields = { ":method": "OPTIONS", ":path": path, ":authority": "api:8080" };
    const stream = session.request(fields);
    stream.resume();
    const head = await new Promise<IncomingHttpHeaders>((resolve, reject) => {
      stream.once("response", resolve);
      stream.once("error", reject);
    });
    return Number(head[":status"]);
  } finally {
    session.destroy();
  }
};

const rows: [side: string, begin: () => Promise<Stage>, version: string, status: Status][] = [
  ["the callee's", callee, "HTTP/1.1", overHttp1],
  ["the callee's", callee, "HTTP/2", overHttp2],
  ["the caller's", caller, "HTTP/1.1", overHttp1],
  ["the caller's", caller, "HTTP/2", overHttp2],
];
for (const [side, begin, version, status] of rows) {
  test(`AP-109: ${side} sidecar answers 404 to OPTIONS * over ${version}, and serves OPTIONS /`, async () => {
    const { port, heard, entry } = await begin();
    assert.equal(await status(port, "*"), 404);
    const told = await entry(({ path }) => path === "*");
    const { response_code, response_code_details, response_flags, decision } = told;
    assert.deepEqual(
      [response_code, response_code_details, response_flags, decision],
      [404, "absolute_path_rejected", "-", null],
    );
    assert.equal(await status(port, "/"), 200);
    assert.deepEqual(heard, ["OPTIONS /"]);
  });
}
