/**
 * HTTP/2 as h2spec, which none of us wrote, sees it: our codec as a server and as a client, and our sidecars, the callee's,
 * the caller's, and both behind each other. The strict cases too.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { before, test } from "node:test";
import { freePort } from "../kit/free-port.ts";
import { buildGoModule } from "../kit/go-program.ts";
import { startAsker } from "../kit/http2-asker.ts";
import { startSmallHttp2Server } from "../kit/http2-server.ts";
import { missingParts } from "../kit/missing-parts.ts";
import {
  destination,
  idOf,
  inboundPort,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../kit/throwaway-authority.ts";

const skip = missingParts("go");
/** Of this version of h2spec: fewer would mean that it did not ask all. */
const CASES = { server: 146, client: 57 } as const;
/** h2spec listens on as many ports, one after the other; below those that systems give to whoever asks for any. */
const FIRST_PORTS = [21_300, 23_700, 26_100];

let program: string;
before(
  async () => {
    if (skip === false) program = join(await buildGoModule("test/interop/h2spec"), "h2spec");
  },
  { timeout: 280_000 },
);

async function outputOf(...parameters: readonly string[]): Promise<string> {
  const child = spawn(program, parameters);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  await once(child, "close");
  return output;
}

function assertAllPassed(output: string, cases: number): void {
  const summary = `${cases} tests, ${cases} passed, 0 skipped, 0 failed`;
  assert.ok(output.includes(summary), output);
}

test("h2spec finds no fault in a server on our codec", { skip, timeout: 120_000 }, async () => {
  const server = await startSmallHttp2Server();
  try {
    assertAllPassed(await outputOf("server", String(server.port)), CASES.server);
  } finally {
    server.close();
  }
});

test("h2spec finds no fault in a client on our codec", { skip, timeout: 120_000 }, async () => {
  const asker = await startAsker();
  try {
    let output = "";
    for (const first of FIRST_PORTS) {
      output = await outputOf("client", String(asker.port), String(first));
      if (!output.includes("address already in use")) break;
    }
    assertAllPassed(output, CASES.client);
  } finally {
    asker.close();
  }
});

const mesh = createThrowawayAuthority();

/** @param application of HTTP/2; @returns the sidecar before it, and the port that takes its callers */
async function startCallee(application: number): Promise<[TestSidecar, number]> {
  const listen = await freePort();
  const ports = [inboundPort({ listen, application, protocol: "http2", mode: "PERMISSIVE" })];
  const view = workloadView({ rootsPem: [mesh.rootPem], ports });
  return [await startTestSidecar({ view, svid: mesh.svid(idOf("api")) }), listen];
}

async function startCaller(port: number, mutualTls: boolean): Promise<[TestSidecar, number]> {
  const listen = await freePort();
  const to = destination({ name: "api", port, listen, protocol: "http2", mutualTls });
  const view = workloadView({ name: "frontend", rootsPem: [mesh.rootPem], destinations: [to] });
  return [await startTestSidecar({ view, svid: mesh.svid(idOf("frontend")) }), listen];
}

for (const way of ["callee's sidecar", "caller's sidecar", "sidecars of both"] as const) {
  test(`h2spec finds no fault through the ${way}`, { skip, timeout: 200_000 }, async () => {
    const server = await startSmallHttp2Server();
    const sidecars: TestSidecar[] = [];
    let { port } = server;
    try {
      if (way !== "caller's sidecar") {
        const [callee, listen] = await startCallee(port);
        sidecars.push(callee);
        port = listen;
      }
      if (way !== "callee's sidecar") {
        const [caller, listen] = await startCaller(port, way === "sidecars of both");
        sidecars.push(caller);
        port = listen;
      }
      assertAllPassed(await outputOf("server", String(port)), CASES.server);
    } finally {
      await Promise.all(sidecars.map(({ sidecar }) => sidecar.close()));
      server.close();
    }
  });
}
