/** Sidecars of several processes, as far as they come without a control plane. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { askAdmin } from "../../../test/kit/ask-admin.ts";
import { eventually } from "../../../test/kit/eventually.ts";
import { freePort } from "../../../test/kit/free-port.ts";
import { productCommand } from "../../../test/kit/product-command.ts";
import { LOOPBACK, portOf } from "../../../test/kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../../test/kit/throwaway-authority.ts";
import { childrenOf } from "../../local/processes/descendants.ts";
import { MeshProcess } from "../../local/processes/mesh-process.ts";
import { firstReport } from "../../local/processes/own-process.ts";
import { sidecarProcessPlan } from "../../local/processes/sidecar-process.ts";
import type { SidecarInstruction, SidecarReport } from "../../policy/sidecar-bootstrap.ts";
import { createDeferred } from "../../runtime/deferred.ts";
import { identifyProcess } from "../../runtime/process-identity.ts";

const PROCESSES = 2;

let folder: string;
/** A control plane that takes connections and says nothing. */
let silent: Server;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  silent = createServer((socket) => socket.on("error", () => {}).unref()).listen(0, LOOPBACK);
  await once(silent, "listening");
});
after(async () => {
  silent.close();
  await rm(folder, { recursive: true });
});

/** A sidecar that waits for its first certificates. */
async function startGroup(adminSocket: string) {
  const report = createDeferred<SidecarReport>();
  const adminPort = await freePort();
  const started = await MeshProcess.start(
    sidecarProcessPlan({
      title: "production/api-0 sidecar",
      hauberkCommand: [process.execPath, ...productCommand()],
      parameters: ["--concurrency", `${PROCESSES}`],
      logDirectory: folder,
      output: "access.log",
      errors: "sidecar.log",
      receive: (message) => report.resolve(message as SidecarReport), // our own program
    }),
  );
  started.send({
    type: "bootstrap",
    namespace: "production",
    name: "api-0",
    token: "a.b.c",
    rootPem: createThrowawayAuthority().rootPem,
    controlPlane: `${LOOPBACK}:${portOf(silent)}`,
    adminPort,
    adminSocket,
    proxyPassword: "x",
    certificateLifetimeSeconds: 3_600,
  } satisfies SidecarInstruction);
  const workers = (): Promise<readonly number[]> =>
    eventually("its workers", async () => {
      const children = await childrenOf(started.processId);
      return children?.length === PROCESSES && children;
    });
  return { started, report: report.promise, adminPort, workers };
}

test("a group that cannot open its administration says why, and ends", async () => {
  const { started, report } = await startGroup(join(folder, "missing", "admin.sock"));
  const log = join(folder, "sidecar.log");
  const reason = /cannot listen on .*missing\/admin\.sock: its folder is not there/;
  await assert.rejects(firstReport(started, { answer: report, log }), reason);
  assert.deepEqual(await started.exit, { code: 1, signal: null });
  assert.match(await readFile(log, "utf8"), reason);
});

test("while its workers wait for their certificates, the group starts; one that is killed is followed by another", async () => {
  const socket = join(folder, "admin.sock");
  const { started, adminPort, workers } = await startGroup(socket);
  try {
    const [first = 0, second = 0] = await workers();
    const ready = await askAdmin(adminPort, { path: "/ready" });
    assert.deepEqual([ready.status, ready.body], [503, "starting\n"]);
    const drain = await askAdmin(socket, { path: "/drain", method: "POST" });
    assert.equal(drain.status, 409);
    process.kill(first, "SIGKILL");
    await eventually("another worker", async () => {
      const now = await workers();
      return !now.includes(first) && now.includes(second);
    });
    const { body } = await askAdmin(adminPort, { path: "/metrics" });
    assert.match(body, /^hauberk_sidecar_processes 0$/m);
    assert.match(body, /^hauberk_sidecar_process_restarts_total 1$/m);
    const log = await readFile(join(folder, "sidecar.log"), "utf8");
    assert.match(log, /"a process of the sidecar ended","process":\d,"exit":"SIGKILL"/);
  } finally {
    await started.stop();
  }
});

test("when the process that holds the ports is gone, so are its workers", async () => {
  const { started, workers } = await startGroup(join(folder, "admin.sock"));
  const ids = await workers();
  process.kill(started.processId, "SIGKILL");
  await eventually("their end", () => ids.every((id) => identifyProcess(id) === undefined));
  await started.stop();
});

for (const [text, problem] of [
  ["-1", /expected a number, 0 or more/],
  ["two", /expected a number, 0 or more/],
] as const)
  test(`--concurrency ${text} is refused`, async () => {
    const errors = `refused${text}.log`;
    const started = await MeshProcess.start(
      sidecarProcessPlan({
        title: "sidecar",
        hauberkCommand: [process.execPath, ...productCommand()],
        parameters: [`--concurrency=${text}`],
        logDirectory: folder,
        output: "out.log",
        errors,
        receive: () => {},
      }),
    );
    assert.equal((await started.exit).code, 1);
    assert.match(await readFile(join(folder, errors), "utf8"), problem);
  });
