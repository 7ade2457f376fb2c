/** Everything that figures share: programs, certificates, applications, the control plane, a folder for this run. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BenchAuthorizer, startAuthorizer } from "../requests/bench-authorizer.ts";
import { makeTokens } from "../requests/bench-tokens.ts";
import { makeCertificates } from "./bench-certificates.ts";
import { type BenchControlPlane, startControlPlane } from "./bench-control-plane.ts";
import type { BenchOptions } from "./bench-options.ts";
import type { LoadOrder } from "./load/load-messages.ts";
import { startNodeLoad } from "./load/node-load.ts";
import type { RunningLoad } from "./load/running-load.ts";
import { startWrk, type WrkOrder } from "./load/wrk-load.ts";
import { LOAD_CORE } from "./measured-process.ts";
import { startOrigin } from "./origin.ts";
import { envoyProgram, findProgram } from "./programs.ts";
import type { BenchContext } from "./proxy-side.ts";

/** Proxies that were just killed may still write. */
const REMOVED = { recursive: true, force: true, maxRetries: 10, retryDelay: 50 } as const;

export interface BenchGround {
  readonly context: BenchContext;
  wrk(order: WrkOrder): Promise<RunningLoad>;
  load(order: LoadOrder): Promise<RunningLoad>;
  close(): Promise<void>;
}

/** @param options which interpreter runs our sidecars, and whether it tells where their time goes */
export async function prepareGround({
  node,
  profile,
}: Pick<BenchOptions, "node" | "profile">): Promise<BenchGround> {
  moveToLoadCore();
  const folder = mkdtempSync(join(tmpdir(), "hauberk-bench-"));
  process.once("exit", () => rmSync(folder, REMOVED));
  // Whoever ends us by a signal ends the proxies too: what they were started with is told of an exit, not of a signal.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const wrk = findProgram("wrk");
  const nginx = findProgram("nginx");
  const certificates = makeCertificates(folder);
  const origin = await startOrigin(folder, nginx);
  let control: Promise<BenchControlPlane> | undefined;
  let authorizer: Promise<BenchAuthorizer> | undefined;
  const tokens = once(() => makeTokens(folder));
  const context: BenchContext = {
    folder,
    node,
    nodeFlags: profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    certificates,
    origins: origin.ports,
    nginx: () => nginx,
    haproxy: once(() => findProgram("haproxy")),
    envoy: once(envoyProgram),
    tokens,
    authorizer: () => {
      authorizer ??= startAuthorizer();
      return authorizer;
    },
    controlPlane: () => {
      control ??= startControlPlane(certificates.mesh, folder);
      return control;
    },
  };
  return {
    context,
    wrk: async (order) => {
      const shown = order.tokens && (await tokens())[order.tokens];
      return startWrk(order, { wrk, origin, folder, ...(shown && { tokens: shown }) });
    },
    load: startNodeLoad,
    close: async () => {
      await (await control)?.close();
      (await authorizer)?.close();
      await origin.stop();
    },
  };
}

/** Whatever this process starts goes there too, unless it is a proxy. */
export function moveToLoadCore(): void {
  const { status, stderr } = spawnSync(
    "taskset",
    ["-acp", String(LOAD_CORE), String(process.pid)],
    {
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`two cores and taskset are needed: ${stderr}`);
}

function once<T>(find: () => T): () => T {
  let found: T | undefined;
  return () => {
    found ??= find();
    return found;
  };
}
