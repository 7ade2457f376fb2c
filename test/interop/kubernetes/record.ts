/**
 * Records what a real kube-apiserver answers, for `src/local/api-server` to be compared with: run it after a change of the
 * calls and sequences, or for another version of Kubernetes.
 *
 *   node --import tsx test/interop/kubernetes/record.ts CRD-ALL.GEN.YAML [NAME...]
 *
 * Names are those of goldens; without any, all are recorded. The file is Istio's
 * manifests/charts/base/files/crd-all.gen.yaml. The first run builds etcd and the kube-apiserver, which takes ten minutes;
 * `build.ts` does that alone.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { installDefinitions } from "./install-definitions.ts";
import { type RealApiServer, startRealApiServer } from "./real-api-server.ts";
import { recordBodies } from "./record-bodies.ts";
import { recordDefaults } from "./record-defaults.ts";
import { recordKinds } from "./record-kinds.ts";
import { recordKubectl } from "./record-kubectl.ts";
import { recordPatches } from "./record-patches.ts";
import { recordScenarios, recordSequences } from "./record-sequences.ts";
import { recordTables } from "./record-tables.ts";

const GOLDENS = fileURLToPath(new URL("../../goldens/kubernetes/", import.meta.url));

type Recorder = (real: RealApiServer) => Promise<readonly unknown[]>;

/** kubectl comes first: it lists all namespaces, and the others leave theirs behind. */
const RECORDERS: Readonly<Record<string, Recorder>> = {
  kubectl: recordKubectl,
  defaults: recordDefaults,
  kinds: recordKinds,
  "kubectl-bodies": recordBodies,
  patches: recordPatches,
  scenarios: recordScenarios,
  sequences: recordSequences,
  tables: recordTables,
};

const [definitions, ...names] = process.argv.slice(2);
if (definitions === undefined) throw new Error("which file holds Istio's resource definitions?");

const real = await startRealApiServer();
try {
  await installDefinitions(real, await readFile(definitions, "utf8"));
  await mkdir(GOLDENS, { recursive: true });
  for (const [name, record] of Object.entries(RECORDERS)) {
    if (names.length === 0 || names.includes(name)) await keep(`${name}.json`, await record(real));
  }
} finally {
  await real.stop();
}

/** A line each, so that a difference shows what it is about. */
async function keep(name: string, records: readonly unknown[]): Promise<void> {
  const lines = records.map((record) => JSON.stringify(record));
  await writeFile(`${GOLDENS}${name}`, `[\n${lines.join(",\n")}\n]\n`);
}
