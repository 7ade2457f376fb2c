import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  portOf,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { sidecarGround } from "../../test/kit/sidecar-ground.ts";

const RATE_PER_SECOND = 50;
const ROTATIONS = 3;

const { mesh, rootsPem, start, listening } = sidecarGround();

/** Every second request on a connection of its own, every third one with a body. */
class Load {
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #kept = new Agent({ keepAlive: true });
  readonly #answers: Promise<void>[] = [];
  readonly #timer: NodeJS.Timeout;
  constructor(port: number) {
    this.#port = port;
    this.#timer = setInterval(() => this.#answers.push(this.#send()), 1_000 / RATE_PER_SECOND);
  }
  async #send(): Promise<void> {
    const count = this.#answers.length;
    const method = count % 3 === 0 ? "POST" : "GET";
    const agent = count % 2 === 0 ? this.#kept : false;
    const outgoing = request({ port: this.#port, host: LOOPBACK, method, agent });
    outgoing.end(method === "POST" ? "a body" : undefined);
    try {
      const [reply] = await once(outgoing, "response");
      reply.resume();
      if (reply.statusCode !== 200) this.failures.push(`${method} ${count}: ${reply.statusCode}`);
    } catch (error) {
      this.failures.push(`${method} ${count}: ${error}`);
    }
  }
  get sent(): number {
    return this.#answers.length;
  }
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#answers);
    this.#kept.destroy();
  }
}

test("certificates of both sides that rotate every second under load: no request fails", async () => {
  const application = createServer((incoming, response) => incoming.pipe(response));
  await listening(application);
  const [port, listen] = [await freePort(), await freePort()];
  const ports = [inboundPort({ listen: port, application: portOf(application) })];
  const api = await start({
    view: workloadView({ rootsPem, ports }),
    svid: mesh.svid(idOf("api")),
  });
  const destinations = [destination({ name: "api", port, listen })];
  const frontend = await start({
    view: workloadView({ name: "frontend", rootsPem, destinations }),
    svid: mesh.svid(idOf("frontend")),
  });
  const load = new Load(listen);
  for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
    await eventually("a second's worth", () => load.sent >= rotation * RATE_PER_SECOND);
    frontend.svid.set(mesh.svid(idOf("frontend")));
    api.svid.set(mesh.svid(idOf("api")));
  }
  await eventually("some more", () => load.sent >= (ROTATIONS + 0.5) * RATE_PER_SECOND);
  await load.end();
  assert.deepEqual(load.failures, []);
  const serials = new Set(api.entries.map((entry) => entry.source_certificate_serial));
  assert.equal(serials.size, ROTATIONS + 1);
  for (const { log } of [api, frontend]) {
    assert.deepEqual(
      log.lines.filter(({ level }) => level === "error"),
      [],
    );
  }
});
