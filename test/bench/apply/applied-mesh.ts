/** `hauberk up` of one pod whose policies are in a file, with one of the two data planes beside it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findOrFetchEnvoy } from "../../kit/envoy-program.ts";
import { runMesh } from "../../kit/running-mesh.ts";
import type { DataPlane } from "../revocation/revocation-mesh.ts";
import { WrittenDenial } from "../revocation/written-denial.ts";
import { ONLY_PATH, type PoliciesOf } from "./many-policies.ts";

/** The pod of `bench -- revocation`. */
export const API: PoliciesOf = { namespace: "revocation", app: "api" };

const PORT = 8080;
const PACE_MS = 20;
const PATIENCE_MS = 180_000;

export interface AppliedMesh {
  /** In place of the file of policies. */
  write(policies: string): Promise<void>;
  /** Written to the API server. */
  readonly denial: WrittenDenial;
  /** Resolves with the first answer of this status, at `performance.now()`. */
  answered(status: number): Promise<number>;
  stop(): Promise<void>;
}

export async function startAppliedMesh(plane: DataPlane, policies: string): Promise<AppliedMesh> {
  const folder = await mkdtemp(join(tmpdir(), "hauberk-apply-"));
  const file = join(folder, "policies.yaml");
  await writeFile(file, policies);
  const parameters =
    plane === "Envoy" ? ["--proxy", "envoy", "--envoy", findOrFetchEnvoy().path] : [];
  const files = [join(import.meta.dirname, "../revocation/mesh"), file];
  const mesh = await runMesh(files, { parameters });
  const { ports } = mesh.workload("api");
  const port = ports.find(({ containerPort }) => containerPort === PORT)?.listen.port ?? 0;
  const denial = await WrittenDenial.of(mesh.data);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    write: (text) => writeFile(file, text),
    denial,
    answered: (status) => answered(status, { port, agent }),
    stop: async () => {
      agent.destroy();
      denial.close();
      await mesh.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** @throws Error where it never comes */
async function answered(
  status: number,
  { port, agent }: { readonly port: number; readonly agent: Agent },
): Promise<number> {
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    if ((await ask(port, agent)) === status) return performance.now();
    await delay(PACE_MS);
  }
  throw new Error(`nothing was answered ${status} within ${PATIENCE_MS / 1000} s`);
}

/** @returns the status; undefined where there is no answer */
function ask(port: number, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve) => {
    const headers = { host: "api:8080" };
    const asked = request({ host: "127.0.0.1", port, path: ONLY_PATH, agent, headers });
    asked.once("error", () => resolve(undefined));
    asked.once("response", (answer) => {
      answer.once("end", () => resolve(answer.statusCode)).resume();
    });
    asked.end();
  });
}
