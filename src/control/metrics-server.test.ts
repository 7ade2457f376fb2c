import assert from "node:assert/strict";
import { once } from "node:events";
import { get, IncomingMessage } from "node:http";
import { test } from "node:test";
import { silentLog } from "../runtime/log.ts";
import { startMetricsServer } from "./metrics-server.ts";

/** As a browser asks whose page's name was made to lead here. */
async function statusUnder(host: string, port: number): Promise<number | undefined> {
  const request = get({ host: "127.0.0.1", port, path: "/metrics", headers: { host } });
  const [response] = await once(request, "response");
  assert.ok(response instanceof IncomingMessage);
  response.resume();
  return response.statusCode;
}

test("metrics are served on loopback under one path, and what fails says nothing of why", async () => {
  let metrics = async (): Promise<string> => "citadel_server_csr_count 1\n";
  const server = await startMetricsServer({
    port: 0,
    metrics: () => metrics(),
    contentType: "text/plain; version=0.0.4",
    log: silentLog,
  });
  const ask = (path: string, method = "GET") =>
    fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  try {
    const told = await ask("/metrics");
    assert.equal(told.headers.get("content-type"), "text/plain; version=0.0.4");
    assert.equal(await told.text(), "citadel_server_csr_count 1\n");
    assert.equal((await ask("/")).status, 404);
    assert.equal((await ask("/metrics", "POST")).status, 404);
    assert.equal(await statusUnder("evil.example", server.port), 421);
    assert.equal(await statusUnder(`localhost:${server.port}`, server.port), 200);
    metrics = async () => {
      throw new Error("secret");
    };
    const failed = await ask("/metrics");
    assert.deepEqual([failed.status, await failed.text()], [500, ""]);
  } finally {
    await server.close();
  }
});
