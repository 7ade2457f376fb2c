/** What is remembered of one request must not lead another one astray: same connection, other name, other view. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  LOOPBACK,
  PROXY_PASSWORD,
  portOf,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";
import type { Destination, WorkloadView } from "../policy/workload-view.ts";

const { mesh, rootsPem, start, listening } = sidecarGround();
const CREDENTIALS = Buffer.from(`frontend-0:${PROXY_PASSWORD}`).toString("base64");

/** Answers with its own name and the Host that it was called by. */
function application(name: string): Promise<Server> {
  return listening(
    createHttpServer(({ headers }, response) => response.end(`<${name} as ${headers.host}>`)),
  );
}

interface Stage extends TestSidecar {
  readonly proxy: number;
  readonly listen: number;
  readonly api: Server;
  readonly stock: Server;
  view(destinations: readonly Destination[]): WorkloadView;
}

async function stage(): Promise<Stage> {
  const [api, stock] = await Promise.all([application("api"), application("stock")]);
  const [proxy, listen] = [await freePort(), await freePort()];
  const view = (destinations: readonly Destination[]): WorkloadView =>
    workloadView({ name: "frontend", rootsPem, httpProxy: proxy, destinations });
  const first = view([plain("api", api, listen), plain("stock", stock)]);
  const started = await start({ view: first, svid: mesh.svid(idOf("frontend")) });
  return { ...started, proxy, listen, api, stock, view };
}

function plain(name: string, served: Server, listen?: number): Destination {
  const options = { name, port: portOf(served), mutualTls: false };
  return destination(listen === undefined ? options : { ...options, listen });
}

/** One connection for many requests. */
class KeptConnection {
  readonly #socket: Socket;
  #seen = "";

  constructor(port: number) {
    this.#socket = connect({ port, host: LOOPBACK });
    this.#socket.on("data", (chunk: Buffer) => {
      this.#seen += chunk.toString("latin1");
    });
  }

  /** @returns the status and the body */
  async ask(target: string, ...fields: readonly string[]): Promise<string> {
    this.#seen = "";
    this.#socket.write([`GET ${target} HTTP/1.1`, ...fields, "\r\n"].join("\r\n"));
    for (;;) {
      const [head = "", body = ""] = this.#seen.split("\r\n\r\n", 2);
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? Number.NaN);
      if (body.length === length) return `${head.slice(9, 12)} ${body.trim()}`;
      await once(this.#socket, "data");
    }
  }

  /** Of the HTTP proxy. */
  askFor(url: string): Promise<string> {
    const { host } = new URL(url);
    return this.ask(url, `Host: ${host}`, `Proxy-Authorization: Basic ${CREDENTIALS}`);
  }

  close(): void {
    this.#socket.destroy();
  }
}

test("requests of one connection to the HTTP proxy go where each says", async () => {
  const { proxy } = await stage();
  const connection = new KeptConnection(proxy);
  const asked = [
    "api",
    "api",
    "stock",
    "stock.production",
    "api",
    "API.localhost",
    "nobody",
    "api",
  ];
  const heard: string[] = [];
  for (const name of asked) heard.push(await connection.askFor(`http://${name}:8080/`));
  const [, , , , , , unknown = ""] = heard;
  assert.match(unknown, /^502 "nobody:8080" is no service/);
  assert.deepEqual(heard.toSpliced(6, 1), [
    "200 <api as api:8080>",
    "200 <api as api:8080>",
    "200 <stock as stock:8080>",
    "200 <stock as stock.production:8080>",
    "200 <api as api:8080>",
    "200 <api as api:8080>",
    "200 <api as api:8080>",
  ]);
  assert.match(
    await connection.ask("/", "Host: api:8080", `Proxy-Authorization: Basic ${CREDENTIALS}`),
    /^400 a proxy needs/,
  );
  connection.close();
});

test("what a listener's requests are called by changes from one to the next", async () => {
  const { listen } = await stage();
  const connection = new KeptConnection(listen);
  const named: [host: string, told: string][] = [
    [`${LOOPBACK}:${listen}`, "api.production.svc.cluster.local:8080"],
    ["shop.example", "shop.example"],
    [`localhost:${listen}`, "api.production.svc.cluster.local:8080"],
    ["shop.localhost:1", "shop:1"],
    ["", "api.production.svc.cluster.local:8080"],
  ];
  for (const [host, told] of named) {
    assert.equal(await connection.ask("/", `Host: ${host}`), `200 <api as ${told}>`);
  }
  connection.close();
});

test("a newer view binds the next request of a connection that stands", async () => {
  const { proxy, listen, views, view, api, stock } = await stage();
  const connections = [new KeptConnection(listen), new KeptConnection(proxy)] as const;
  const [byListener, byProxy] = connections;
  const ask = (): Promise<readonly string[]> =>
    Promise.all([byListener.ask("/", "Host: x"), byProxy.askFor("http://api:8080/")]);
  assert.deepEqual(await ask(), ["200 <api as x>", "200 <api as api:8080>"]);
  views.set(view([plain("api", stock, listen)]));
  assert.deepEqual(await ask(), ["200 <stock as x>", "200 <stock as api:8080>"]);
  views.set(view([{ ...plain("api", api, listen), endpoints: [] }]));
  for (const answer of await ask())
    assert.match(answer, /^503 service production\/api has no ready/);
  views.set(view([plain("api", api, listen)]));
  assert.deepEqual(await ask(), ["200 <api as x>", "200 <api as api:8080>"]);
  for (const connection of connections) connection.close();
});
