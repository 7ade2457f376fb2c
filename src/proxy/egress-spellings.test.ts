/** REGISTRY_ONLY, through the HTTP proxy: whatever is not a known host is not called, however it is written. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import { outsideDestination } from "../../test/kit/outside-destination.ts";
import {
  idOf,
  LOOPBACK,
  PROXY_PASSWORD,
  portOf,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();

/** A server on loopback, which is called `ok.example` here, and wildcard hosts that are called where they lead. */
async function ground() {
  let reached = 0;
  const server = await listening(
    createServer((_, response) => {
      reached++;
      response.end();
    }),
  );
  const port = portOf(server);
  const httpProxy = await freePort();
  const destinations = [
    outsideDestination({
      host: "*.outside.invalid",
      servicePort: port,
      serviceEntry: { resolution: "NONE" },
    }),
    outsideDestination({ host: "ok.example", servicePort: port, port }),
  ];
  const view = workloadView({ name: "frontend", rootsPem, httpProxy, destinations });
  await start({ view, svid: mesh.svid(idOf("frontend")) });
  const credentials = Buffer.from(`frontend-0:${PROXY_PASSWORD}`).toString("base64");
  /** @returns the status */
  const ask = async (method: string, target: string): Promise<number> => {
    const socket = connect(httpProxy, LOOPBACK);
    const host = `ok.example:${port}`;
    const fields = `host: ${host}\r\nproxy-authorization: Basic ${credentials}\r\n`;
    socket.write(`${method} ${target} HTTP/1.1\r\n${fields}connection: close\r\n\r\n`);
    const [answer] = await once(socket, "data");
    socket.destroy();
    return Number(String(answer).slice(9, 12));
  };
  return { port, ask, reached: () => reached };
}

const spellings: readonly [url: string, status: 200 | 400 | 502 | 503][] = [
  ["http://ok.example:PORT/", 200],
  ["http://OK.Example.:PORT/", 200],
  ["http://127.0.0.1:PORT/", 502],
  ["http://127.1:PORT/", 502],
  ["http://2130706433:PORT/", 502],
  ["http://[::1]:PORT/", 502],
  ["http://[::ffff:127.0.0.1]:PORT/", 502],
  ["http://localhost:PORT/", 502],
  ["http://ok.example@127.0.0.1:PORT/", 400],
  ["http://a.outside.invalid@127.0.0.1:PORT/", 400],
  ["http://127.0.0.1:PORT#.outside.invalid", 400],
  ["http://127.0.0.1:PORT?.outside.invalid", 502],
  ["http://127.0.0.1:PORT/.outside.invalid", 502],
  ["http://127.0.0.1:PORT\\.outside.invalid:PORT/", 400],
  ["http://127.0.0.1%00.outside.invalid:PORT/", 503],
  ["http://127.0.0.1,a.outside.invalid:PORT/", 503],
  ["http://.outside.invalid:PORT/", 502],
  ["https://ok.example:PORT/", 400],
  ["/", 400],
];

test("requests", async () => {
  const { port, ask, reached } = await ground();
  for (const [url, status] of spellings) {
    const before = reached();
    assert.equal(await ask("GET", url.replaceAll("PORT", String(port))), status, url);
    assert.equal(reached() > before, status === 200, url);
  }
});

const ends: readonly [end: string, status: 200 | 400 | 502][] = [
  ["ok.example:PORT", 200],
  ["ok.example:22", 502],
  ["127.0.0.1:PORT", 502],
  ["localhost:PORT", 502],
  ["[::1]:PORT", 502],
  ["ok.example@127.0.0.1:PORT", 400],
  ["127.0.0.1:PORT.outside.invalid", 400],
];

test("tunnels", async () => {
  const { port, ask } = await ground();
  for (const [end, status] of ends)
    assert.equal(await ask("CONNECT", end.replaceAll("PORT", String(port))), status, end);
});
