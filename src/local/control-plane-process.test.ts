/** With a small program in the control plane's place, which tells what it was told. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../../test/kit/eventually.ts";
import type { RefusedResource } from "../control/refused-resources.ts";
import { ControlPlaneProcess } from "./control-plane-process.ts";
import { DataDirectory } from "./data-directory.ts";

/** Refuses a policy when it is started for the first time, and later only says of which refusals it was told. */
const PROGRAM = `
import { Socket } from "node:net";
import { createInterface } from "node:readline";
const pipe = new Socket({ fd: 3 });
const send = (message) => pipe.write(JSON.stringify(message) + "\\n");
const ref = { kind: "AuthorizationPolicy", namespace: "shop", name: "nobody" };
createInterface(pipe).on("line", (line) => {
  const { type, refusedBefore } = JSON.parse(line);
  if (type !== "start") return;
  send({ type: "ready", listen: "127.0.0.1:1", rootPem: "root" });
  if (refusedBefore === undefined) send({ type: "refusals", resources: [{ ref, message: "no" }] });
  else send({ type: "notice", text: JSON.stringify(refusedBefore) });
});
`;

test("what proxies refuse outlives the control plane, and the next one is told", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-"));
  const program = join(folder, "control-plane.mjs");
  await writeFile(program, PROGRAM);
  const notices: string[] = [];
  /** What was refused, each time others were said to be. */
  const refused: (readonly RefusedResource[])[] = [];
  const controlPlane = new ControlPlaneProcess(
    {
      texts: [],
      dataDirectory: new DataDirectory(folder),
      hauberkCommand: [process.execPath, program],
      listen: { address: "127.0.0.1", port: 1 },
      settings: () => undefined,
      tell: (notice) => notices.push(notice),
      onRoots: () => undefined,
      onRefused: () => refused.push(controlPlane.refused),
      report: () => undefined,
      random: () => 0,
    },
    { workloads: [], resources: [] },
  );
  context.after(async () => {
    await controlPlane.process.stop();
    await rm(folder, { recursive: true });
  });
  assert.deepEqual(controlPlane.refused, []);
  await controlPlane.start();
  await eventually("a refusal", () => refused.length > 0);
  const ref = { kind: "AuthorizationPolicy", namespace: "shop", name: "nobody" };
  assert.deepEqual(controlPlane.refused, [{ ref, message: "no" }]);
  await controlPlane.process.restart();
  await eventually("the next control plane", () => notices.length > 0);
  assert.deepEqual(JSON.parse(notices[0] ?? ""), [{ ref, message: "no" }]);
  assert.deepEqual(controlPlane.refused, [{ ref, message: "no" }]);
  assert.equal(refused.length, 1, "nobody said that they are taken");
});
