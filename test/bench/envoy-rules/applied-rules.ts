/** What a change of one rule among many takes until a running Envoy obeys it: translated, sent by discovery, taken over. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { withDescendants } from "../../../src/local/processes/descendants.ts";
import { ask, MESH_HTTP_ALPN } from "../../kit/envoy-callers.ts";
import { startTestEnvoy } from "../../kit/envoy-pod.ts";
import { eventually } from "../../kit/eventually.ts";
import { freePort } from "../../kit/free-port.ts";
import { residentMemory } from "../../kit/resident-memory.ts";
import { idOf } from "../../kit/sidecar-fixture.ts";
import type { ThrowawayAuthority } from "../../kit/throwaway-authority.ts";
import { PROXY_CORE } from "../sidecar/measured-process.ts";
import { type RuleScenario, ruleScenario } from "./rule-scenarios.ts";
import { ruledView } from "./ruled-envoys.ts";

const CHANGES = 4;
const PATIENCE = { withinMs: 120_000 };
/** No other rule speaks of it. */
const PATH = "/api/only-here";
const ALLOWED = 200;
const REFUSED = 403;

export interface AppliedRules {
  /** Of each change, from the view to the first request that obeys it. */
  readonly changesMs: readonly number[];
  /** Of Envoy, in MiB: with hardly a rule, with all of them, and the most while they changed. */
  readonly memory: { readonly before: number; readonly now: number; readonly peak: number };
}

/** One rule allows the caller; it is there and not there in turn. */
export async function applyRules(
  count: number,
  { mesh, application }: { readonly mesh: ThrowawayAuthority; readonly application: number },
): Promise<AppliedRules> {
  const scenario = ruleScenario("last", count);
  const listen = await freePort();
  const viewOf = (policies: RuleScenario["authorization"]) =>
    ruledView({ authorization: policies }, { mesh, application, listen });
  const { authorization } = scenario;
  const [last] = authorization.allow.slice(-1);
  if (last === undefined) throw new Error("there is no rule to change");
  const one = viewOf({ ...authorization, deny: [], allow: [last] });
  const withIt = viewOf(authorization);
  const withoutIt = viewOf({ ...authorization, allow: authorization.allow.slice(0, -1) });
  const envoy = await startTestEnvoy({ view: one, svid: mesh.svid(idOf("api")) });
  try {
    const processId = await envoyProcess();
    const certificate = mesh.svid(`spiffe://${scenario.peers[0]}`);
    const caller = { port: listen, alpn: MESH_HTTP_ALPN, certificate };
    const isAnswered = async (status: number): Promise<boolean> =>
      (await ask(caller, PATH)).status === status;
    await eventually("the first answer", () => isAnswered(ALLOWED));
    const before = (await residentMemory(processId)).now;
    const changesMs: number[] = [];
    for (let change = 0; change < CHANGES; change++) {
      const isAllowed = change % 2 === 1;
      const begun = performance.now();
      envoy.views.set(isAllowed ? withIt : withoutIt);
      const wanted = isAllowed ? ALLOWED : REFUSED;
      await eventually("the change to be obeyed", () => isAnswered(wanted), PATIENCE);
      changesMs.push(performance.now() - begun);
    }
    const { now, peak } = await residentMemory(processId);
    return { changesMs, memory: { before, now, peak } };
  } finally {
    await envoy.close();
  }
}

/** It runs where proxies do: its control plane and its agent are this process. */
async function envoyProcess(): Promise<number> {
  const all = await withDescendants(process.pid);
  const isEnvoy = (id: number): boolean =>
    readFileSync(`/proc/${id}/comm`, "utf8").trim() === "envoy";
  const found = all.find(isEnvoy);
  if (found === undefined) throw new Error("there is no Envoy");
  spawnSync("taskset", ["-acp", String(PROXY_CORE), String(found)]);
  return found;
}
