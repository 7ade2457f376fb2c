/** Reached over a Unix socket, as from inside namespaces: clients have no addresses there. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { stageStore } from "../../../test/kit/api-server-stage.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { systemClock } from "../../runtime/clock.ts";
import { silentLog } from "../../runtime/log.ts";
import { newAccessToken } from "./access/access-token.ts";
import { issueServingCertificate } from "./access/serving-certificate.ts";
import { startApiServer } from "./api-server.ts";

async function stage(context: TestContext): Promise<{
  readonly socketPath: string;
  ask(path: string, token?: string): Promise<IncomingMessage>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const socketPath = join(folder, "api.sock");
  const certificate = issueServingCertificate(systemClock);
  const token = newAccessToken();
  const server = await startApiServer({
    store: stageStore(),
    address: "127.0.0.1",
    port: 6443,
    socketPath,
    certificate,
    token,
    log: silentLog,
  });
  context.after(async () => {
    await server.close();
    await rm(folder, { recursive: true });
  });
  return {
    socketPath,
    async ask(path, shown = token) {
      const asked = request({
        socketPath,
        path,
        agent: false,
        ca: certificate.authorityPem,
        servername: "localhost",
        headers: { host: "127.0.0.1:6443", authorization: `Bearer ${shown}` },
      });
      asked.on("error", () => {});
      asked.end();
      const [response] = await once(asked, "response");
      context.after(() => asked.destroy());
      return response;
    },
  };
}

test("strangers push out one another, and no client that has the token", async (context) => {
  const { socketPath, ask } = await stage(context);
  const watches = await Promise.all(
    Array.from({ length: 70 }, () => ask("/api/v1/namespaces?watch=true")),
  );
  for (const watch of watches) watch.on("error", () => {}).resume();
  const strangers: Socket[] = Array.from({ length: 100 }, () => connect(socketPath));
  for (const stranger of strangers) stranger.on("error", () => {});
  context.after(() => strangers.forEach((stranger) => void stranger.destroy()));
  await eventually(
    "the first strangers to be shown out",
    () => strangers.filter(({ readyState }) => readyState === "closed").length >= 30,
  );
  assert.equal((await ask("/version")).statusCode, 200);
  assert.deepEqual(
    watches.filter(({ destroyed }) => destroyed),
    [],
  );
  assert.equal((await ask("/version", newAccessToken())).statusCode, 401);
});
