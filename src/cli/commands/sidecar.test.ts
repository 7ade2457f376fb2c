/** A sidecar that cannot start says why and ends at once: nobody waits for it until a time limit. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../../test/kit/free-port.ts";
import { productCommand } from "../../../test/kit/product-command.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { MeshProcess } from "../../local/processes/mesh-process.ts";
import { firstReport, MeshStartError } from "../../local/processes/own-process.ts";
import { sidecarProcessPlan } from "../../local/processes/sidecar-process.ts";
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import { createDeferred } from "../../runtime/deferred.ts";

/** Far below what whoever starts a sidecar waits for it, and below the grace that a process has to end. */
const AT_ONCE_MS = 4_000;
const REASON = /cannot listen on .*missing\/admin\.sock: its folder is not there/;

let folder: string;
/** A control plane that takes connections and says nothing. */
let silent: Server;
const connected = new Set<Socket>();
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  silent = createServer((socket) => connected.add(socket.on("error", () => {}))).listen(
    0,
    LOOPBACK,
  );
  await once(silent, "listening");
});
after(async () => {
  for (const socket of connected) socket.destroy();
  silent.close();
  await rm(folder, { recursive: true });
});

test("a sidecar that cannot start reports the reason, logs it, and ends with code 1", async () => {
  const report = createDeferred<SidecarReport>();
  const started = await MeshProcess.start(
    sidecarProcessPlan({
      title: "production/api-0 sidecar",
      hauberkCommand: [process.execPath, ...productCommand()],
      logDirectory: folder,
      output: "access.log",
      errors: "sidecar.log",
      receive: (message) => report.resolve(message as SidecarReport), // our own program
    }),
  );
  try {
    started.send({
      type: "bootstrap",
      namespace: "production",
      name: "api-0",
      token: "a.b.c",
      rootPem: createThrowawayAuthority().rootPem,
      controlPlane: `${LOOPBACK}:${portOf(silent)}`,
      adminPort: await freePort(),
      adminSocket: join(folder, "missing", "admin.sock"),
      proxyPassword: "x",
      certificateLifetimeSeconds: 3_600,
    } satisfies SidecarInstruction);
    const log = join(folder, "sidecar.log");
    await assert.rejects(firstReport(started, { answer: report.promise, log }), (error: Error) => {
      assert.ok(error instanceof MeshStartError);
      assert.match(error.message, /^production\/api-0 sidecar: /);
      assert.match(error.message, REASON);
      return true;
    });
    const told = performance.now();
    assert.deepEqual(await started.exit, { code: 1, signal: null });
    assert.ok(performance.now() - told < AT_ONCE_MS, "it should end without being told to");
    assert.match(await readFile(log, "utf8"), REASON);
  } finally {
    await started.stop();
  }
});
