import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { finished } from "node:stream/promises";
import { type TestContext, test } from "node:test";
import { connectToAdministration } from "./connect-to-administration.ts";

interface Asked {
  readonly status: number;
  readonly body: string;
}

async function stage(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const socket = join(folder, "admin.sock");
  const sidecar = createServer(({ method, url }, response) => {
    if (url === "/refused") response.writeHead(409);
    response.end(`${method} ${url}`);
  });
  sidecar.listen(socket);
  await once(sidecar, "listening");
  context.after(async () => {
    sidecar.close();
    sidecar.closeAllConnections();
    await rm(folder, { recursive: true });
  });
  const connect = (place = socket): Duplex =>
    connectToAdministration({
      socket: place,
      answerAsEnvoy: ({ method, path }, askSidecar) =>
        path.startsWith("/config_dump")
          ? askSidecar({ method, path: "/own" }).then((body) => ({
              contentType: "application/json",
              body,
            }))
          : undefined,
    });
  const ask = async (path: string, method = "GET", place = socket): Promise<Asked> => {
    const asked = request({ path, method, createConnection: () => connect(place) }).end();
    const [response] = await once(asked, "response");
    let body = "";
    for await (const part of response) body += part;
    return { status: response.statusCode, body };
  };
  return { connect, ask, nowhere: join(folder, "none.sock") };
}

test("what an Envoy answers otherwise is answered in its words, the rest by the sidecar itself", async (context) => {
  const { ask } = await stage(context);
  assert.deepEqual(await ask("/config_dump?include_eds=true"), { status: 200, body: "GET /own" });
  assert.deepEqual(await ask("/certs"), { status: 200, body: "GET /certs" });
  assert.deepEqual(await ask("/stats/prometheus"), { status: 200, body: "GET /stats" });
  assert.deepEqual(await ask("/drain", "POST"), { status: 200, body: "POST /drain" });
  assert.deepEqual(await ask("/refused"), { status: 409, body: "GET /refused" });
});

test("a client that asks for no second answer is left, as by any server", async (context) => {
  const { connect } = await stage(context);
  const connection = connect();
  connection.write("GET /certs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let answer = "";
  for await (const part of connection) answer += part;
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n.*GET \/certs/s);
  await finished(connection);
});

test("methods that mean nothing there are refused", async (context) => {
  const { ask } = await stage(context);
  assert.equal((await ask("/certs", "DELETE")).status, 405);
});

test("a sidecar that is not there is told", async (context) => {
  const { ask, nowhere } = await stage(context);
  for (const path of ["/config_dump", "/certs"])
    assert.equal((await ask(path, "GET", nowhere)).status, 502, path);
});
