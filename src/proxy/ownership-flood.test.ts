/** A stranger's connections cost little, however many there are, and the pod's own are served all the while. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import { freePort } from "../../test/kit/free-port.ts";
import type { LogLine } from "../../test/kit/recorded-log.ts";
import {
  destination,
  idOf,
  LOOPBACK,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../test/kit/throwaway-authority.ts";
import { canTellOwners } from "./workload-ownership.ts";

const CONNECTIONS = 1_000;
const MAX_GROWTH_BYTES = 50 * 1024 * 1024;

/** Asks whenever it reads a line, and says how long the answer took. */
const APPLICATION = `
  const { get } = require("node:http");
  process.stdin.on("data", () => {
    const since = performance.now();
    get({ port: process.argv[1], host: "127.0.0.1", agent: false }, (reply) => {
      reply.resume();
      reply.on("end", () => console.log(reply.statusCode, performance.now() - since));
    }).on("error", (error) => console.log(error.code));
  });
`;
/** The same from a process that the application starts. */
const PARENT = `
  require("node:child_process").spawn(
    process.execPath, ["-e", ${JSON.stringify(APPLICATION)}, process.argv[1]], { stdio: "inherit" });
`;
/** Connects so often at once, asks on each connection, and says how many ended without an answer. */
const STRANGER = `
  const { connect } = require("node:net");
  process.stdin.on("data", () => {
    let ended = 0;
    let heard = 0;
    for (let index = 0; index < ${CONNECTIONS}; index++) {
      const socket = connect(Number(process.argv[1]), "127.0.0.1");
      socket.write("GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n");
      socket.on("data", () => heard++);
      socket.on("error", () => {});
      socket.on("close", () => ++ended === ${CONNECTIONS} && console.log(heard));
    }
  });
`;

interface Program {
  readonly processId: number;
  /** Writes a line and gives the next that comes back. */
  ask(): Promise<string>;
}

const children: ChildProcess[] = [];
const sidecars: TestSidecar[] = [];
after(async () => {
  for (const child of children) child.stdin?.end();
  for (const child of children) child.kill();
  await Promise.all(sidecars.map(({ sidecar }) => sidecar.close()));
});

function program(code: string, port: number): Program {
  const child = spawn(process.execPath, ["-e", code, String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    processId: child.pid ?? assert.fail("no process was started"),
    async ask() {
      child.stdin.write("now\n");
      const { value } = await lines.next();
      return String(value);
    },
  };
}

const linux = { skip: !canTellOwners() && "this system does not tell who owns a connection" };

for (const [who, code] of [
  ["the application", APPLICATION],
  ["a process that the application started", PARENT],
] as const) {
  test(
    `design 4a: ${CONNECTIONS} foreign connections do not keep ${who} waiting`,
    linux,
    async (context) => {
      const application = createServer((_incoming, response) => response.end("ok"));
      await once(application.listen(0, LOOPBACK).unref(), "listening");
      const listen = await freePort();
      const api = destination({ name: "api", port: portOf(application), listen, mutualTls: false });
      const view = workloadView({
        name: "frontend",
        rootsPem: [createThrowawayAuthority().rootPem],
        destinations: [api],
      });
      const own = program(code, listen);
      const stranger = program(STRANGER, listen);
      const frontend = await startTestSidecar({
        view,
        svid: createThrowawayAuthority().svid(idOf("frontend")),
        applicationProcessIds: [own.processId],
      });
      sidecars.push(frontend);
      assert.match(await own.ask(), /^200 /);
      assert.equal(await stranger.ask(), "0");
      const before = process.memoryUsage().rss;
      let most = before;
      const watch = setInterval(() => {
        most = Math.max(most, process.memoryUsage().rss);
      }, 5);
      const [during, heard] = await Promise.all([own.ask(), stranger.ask()]);
      const afterwards = await own.ask();
      clearInterval(watch);
      const grown = most - before;
      context.diagnostic(`during: ${during} ms; after: ${afterwards} ms; grown by ${grown} bytes`);
      assert.equal(heard, "0");
      for (const answer of [during, afterwards]) assert.match(answer, /^200 /);
      assert.ok(Number(afterwards.split(" ")[1]) < 1_000, afterwards);
      assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes`);
      await assertToldOnce(frontend, stranger.processId);
      application.close();
    },
  );
}

async function assertToldOnce({ log, entries }: TestSidecar, culprit: number): Promise<void> {
  const lines = (): readonly LogLine[] => log.find("foreign process refused");
  await eventually("the stranger to be named", () =>
    lines().some(({ fields }) => fields["processId"] === culprit),
  );
  await eventually("the others to be counted", () =>
    lines().some(({ fields }) => Number(fields["count"]) > 1),
  );
  assert.ok(log.lines.filter(({ level }) => level === "warn").length < 20);
  const refusals = entries.filter(({ decision }) => decision?.verdict === "deny");
  assert.ok(refusals.length >= 1 && refusals.length <= 150, `${refusals.length} entries`);
}
