/** The same Envoy three times, told the same rules in different forms, and the Envoy of those who call them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { linearFilters } from "../../../src/envoy/authorization/linear/linear-filters.ts";
import { localPortOf } from "../../../src/envoy/authorization/local-ports.ts";
import { discoveredAuthorization } from "../../../src/envoy/authorization-filters.ts";
import type { AuthorizeChain } from "../../../src/envoy/inbound/judged-chain.ts";
import type { ProxySettings } from "../../../src/envoy/proxy-settings.ts";
import type { WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../../kit/free-port.ts";
import { idOf, inboundPort, workloadView } from "../../kit/sidecar-fixture.ts";
import { staticBootstrap } from "../../kit/static-envoy.ts";
import type { ThrowawayAuthority } from "../../kit/throwaway-authority.ts";
import { type MeasuredProcess, PROXY_CORE, startPinned } from "../sidecar/measured-process.ts";
import type { Program } from "../sidecar/programs.ts";
import { untilListening } from "../sidecar/until-listening.ts";
import { callersBootstrap } from "./callers-configuration.ts";
import type { RuleScenario } from "./rule-scenarios.ts";

export const FORMS = ["no RBAC", "ours", "istiod's"] as const;
export type Form = (typeof FORMS)[number];

export interface RuledEnvoy {
  readonly process: MeasuredProcess;
  /** Where its callers are called, in plaintext. */
  readonly callers: number;
  /** From its start until it takes connections. */
  readonly startMs: number;
  /** Of its configuration, as JSON. */
  readonly bytes: number;
}

export interface RuledEnvoys {
  readonly callers: MeasuredProcess;
  readonly callees: ReadonlyMap<Form, RuledEnvoy>;
  stop(): Promise<void>;
}

export interface RulesGround {
  readonly folder: string;
  readonly envoy: Program;
  readonly mesh: ThrowawayAuthority;
  /** Where the application is. */
  readonly application: number;
}

export async function startRuledEnvoys(
  scenario: RuleScenario,
  ground: RulesGround,
): Promise<RuledEnvoys> {
  const started: MeasuredProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((one) => one.stop()));
  };
  const start = async (bootstrap: object, name: string, port: number) => {
    const base = join(ground.folder, `${port}-${name}`);
    const text = JSON.stringify(bootstrap);
    writeFileSync(`${base}.json`, text, { mode: 0o600 });
    const { path, environment } = ground.envoy;
    const flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"];
    const log = `${base}.log`;
    const begun = performance.now();
    const command = [path, "-c", `${base}.json`, ...flags];
    const process = await startPinned(command, { core: PROXY_CORE, log, environment });
    started.push(process);
    await untilListening(port, log);
    return { process, startMs: performance.now() - begun, bytes: text.length };
  };
  try {
    const callees = new Map<Form, RuledEnvoy>();
    const ports: { readonly listen: number; readonly callee: number }[] = [];
    for (const form of FORMS) {
      const [listen, callee] = [await freePort(), await freePort()];
      ports.push({ listen, callee });
      const bootstrap = calleeBootstrap(form, scenario, {
        ...ground,
        listen: callee,
        admin: await freePort(),
      });
      callees.set(form, { ...(await start(bootstrap, "callee", callee)), callers: listen });
    }
    const { rootPem } = ground.mesh;
    const peers = scenario.peers.map((peer) => ground.mesh.svid(`spiffe://${peer}`));
    const bootstrap = callersBootstrap({ rootPem, peers, callees: ports });
    const callers = await start(bootstrap, "callers", ports[0]?.listen ?? 0);
    return { callers: callers.process, callees, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function calleeBootstrap(
  form: Form,
  scenario: RuleScenario,
  {
    mesh,
    envoy,
    listen,
    application,
    admin,
  }: RulesGround & { readonly listen: number; readonly admin: number },
): object {
  const view = ruledView(scenario, { mesh, listen, application });
  const settings: ProxySettings = { version: envoy.version };
  const svid = mesh.svid(idOf("api"));
  return staticBootstrap({ view, svid }, settings, admin, authorizeBy(form, view, settings));
}

export function ruledView(
  { authorization }: Pick<RuleScenario, "authorization">,
  { mesh, ...port }: Pick<RulesGround, "mesh" | "application"> & { readonly listen: number },
): WorkloadView {
  const view = workloadView({ rootsPem: [mesh.rootPem], ports: [inboundPort(port)] });
  return { ...view, inbound: { ...view.inbound, authorization } };
}

/** Chains are the same but for what judges in them. */
function authorizeBy(form: Form, view: WorkloadView, settings: ProxySettings): AuthorizeChain {
  if (form === "ours") return discoveredAuthorization(view, settings);
  const { inbound, trust } = view;
  const portOf = localPortOf(view, settings);
  return ({ level }) => ({
    filters:
      form === "no RBAC" ? [] : linearFilters(inbound.authorization, { level, trust, portOf }),
    extensionConfigs: [],
    fingerprint: form,
    form: "linear",
  });
}
