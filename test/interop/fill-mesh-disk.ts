/** Started by `full-disk.test.ts` with a small disk of its own: a mesh on it, which outlives that it is full. */
import { readFileSync } from "node:fs";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { eventually } from "../kit/eventually.ts";
import { runMesh } from "../kit/running-mesh.ts";

/** Certificates of 6 s are renewed each 3 s or so. */
const SEVERAL_RENEWALS_MS = 8_000;
const MESH = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web, sidecar.istio.io/inject: "true"}
      annotations: {proxy.istio.io/config: "proxyMetadata: {SECRET_TTL: 6s}"}
    spec:
      containers: [{name: web, image: x, command: [sh, -c, "sleep 3600"]}]
`;

const [directory = ""] = process.argv.slice(2);
const file = join(directory, "mesh.yaml");
const filler = join(directory, "filler");
await writeFile(file, MESH);
const mesh = await runMesh([file], { data: join(directory, "data") });
try {
  const issued = (): number =>
    readFileSync(join(mesh.data, "ca", "issued.jsonl"), "utf8").split('"serial"').length;
  const running = async (): Promise<string> =>
    JSON.stringify((await mesh.currentState()).processes);
  const before = await running();
  await writeFile(filler, Buffer.alloc(16 * 1024 * 1024)).catch(() => undefined);
  for (const log of ["control-plane.log", "shop/web-0/sidecar.log"]) await fillLastPage(log);
  await delay(SEVERAL_RENEWALS_MS);
  const whenFull = issued();
  await rm(filler);
  await eventually("certificates again", () => issued() > whenFull);
  const log = await eventually("the log tells what it lost", async () => {
    const text = await mesh.read("logs/shop/web-0/sidecar.log");
    return text.includes("the log could not be written") && text;
  });
  console.log(
    JSON.stringify({
      sameProcesses: (await running()) === before && !before.includes("[]"),
      lostLinesAreCounted: /"lostLines":[1-9]/.test(log),
    }),
  );
} finally {
  await mesh.stop();
}

/** What is left of it would hold a few more lines. */
async function fillLastPage(log: string): Promise<void> {
  const path = join(mesh.data, "logs", log);
  await appendFile(path, "-".repeat(8_192)).catch(() => undefined);
}
