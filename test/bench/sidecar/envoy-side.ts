/** A pair of Envoys, `--concurrency 1` each. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../kit/free-port.ts";
import type { MixedRule } from "../policy/mixed-rules.ts";
import {
  type CalleeSteps,
  calleeBootstrap,
  callerBootstrap,
  type EnvoyProtocol,
  type EnvoySettings,
} from "./envoy-configuration.ts";
import { PROXY_CORE, startPinned } from "./measured-process.ts";
import type { BenchContext, Carried, Ports, ProxySide, SidecarProxy } from "./proxy-side.ts";
import { untilListening } from "./until-listening.ts";

/** @param rules further ones, in front of the one that allows */
export function envoySide(
  protocol: EnvoyProtocol,
  rules: readonly MixedRule[] = [],
  stepsOf?: (context: BenchContext) => Promise<CalleeSteps>,
): ProxySide {
  return {
    startCallee: async (context) => {
      const { api: files, frontend } = context.certificates.identities;
      const part = { files, protocol, upstream: context.origins };
      const steps = await stepsOf?.(context);
      const proxy = await start(context, part, (settings) =>
        calleeBootstrap(settings, rules, steps),
      );
      return { ...proxy, clients: { caller: frontend, stranger: files } };
    },
    startCaller: (context, upstream) => {
      const files = context.certificates.identities.frontend;
      return start(context, { files, protocol, upstream }, callerBootstrap);
    },
  };
}

async function start(
  { folder, envoy }: BenchContext,
  part: Pick<EnvoySettings, "files" | "protocol" | "upstream">,
  write: (settings: EnvoySettings) => unknown,
): Promise<SidecarProxy> {
  const listen = await portsLike(part.upstream);
  const [id = 0] = Object.values(listen);
  const base = join(folder, `${id}-envoy`);
  const settings = { ...part, listen, accessLog: `${base}.access.log` };
  writeFileSync(`${base}.json`, JSON.stringify(write(settings)));
  const { path, environment } = envoy();
  const log = `${base}.log`;
  const flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"];
  const command = [path, "-c", `${base}.json`, ...flags];
  const process = await startPinned(command, { core: PROXY_CORE, log, environment });
  for (const port of Object.values(listen)) await untilListening(port, log);
  return { process, ports: listen };
}

/** A free port for each that is carried on. */
async function portsLike(upstream: Ports): Promise<Ports> {
  const ports: Partial<Record<Carried, number>> = {};
  for (const carried of ["http", "grpc", "tcp"] as const) {
    if (upstream[carried] !== undefined) ports[carried] = await freePort();
  }
  return ports;
}
