/** What every product measured is: a caller's proxy and a callee's proxy, each one process. */

import type { BenchAuthorizer } from "../requests/bench-authorizer.ts";
import type { BenchTokens } from "../requests/bench-tokens.ts";
import type { BenchCertificates } from "./bench-certificates.ts";
import type { BenchControlPlane } from "./bench-control-plane.ts";
import type { MeasuredProcess } from "./measured-process.ts";
import type { Program } from "./programs.ts";

export type Carried = "http" | "grpc" | "tcp";

/** A port for each that is carried; a proxy that does not carry it has none. */
export type Ports = Readonly<Partial<Record<Carried, number>>>;

export interface SidecarProxy {
  readonly process: MeasuredProcess;
  /** Where it takes connections: plaintext at the caller's, mutual TLS at the callee's. */
  readonly ports: Ports;
  /** Of a callee's: what its clients can show, the one that it lets in and one that it knows and refuses. */
  readonly clients?: { readonly caller: ClientFiles; readonly stranger: ClientFiles };
}

/** PEM files. */
export interface ClientFiles {
  readonly certificate: string;
  readonly key: string;
  readonly root: string;
}

export interface BenchContext {
  /** For configurations and logs of this run. */
  readonly folder: string;
  readonly envoy: () => Program;
  readonly nginx: () => Program;
  readonly haproxy: () => Program;
  /** The interpreter that runs our sidecars. */
  readonly node: string;
  readonly nodeFlags: readonly string[];
  readonly certificates: BenchCertificates;
  readonly controlPlane: () => Promise<BenchControlPlane>;
  readonly tokens: () => Promise<BenchTokens>;
  readonly authorizer: () => Promise<BenchAuthorizer>;
  /** Where the applications are. */
  readonly origins: Ports;
}

export interface ProxySide {
  startCallee(context: BenchContext): Promise<SidecarProxy>;
  /** @param callee where the callee's proxy takes connections */
  startCaller(context: BenchContext, callee: Ports): Promise<SidecarProxy>;
}

export interface Pair {
  readonly caller: SidecarProxy;
  readonly callee: SidecarProxy;
  stop(): Promise<void>;
}

export async function startPair(
  { caller, callee }: { readonly caller: ProxySide; readonly callee: ProxySide },
  context: BenchContext,
): Promise<Pair> {
  const called = await callee.startCallee(context);
  try {
    const calling = await caller.startCaller(context, called.ports);
    const stop = async (): Promise<void> => {
      await Promise.all([calling.process.stop(), called.process.stop()]);
    };
    return { caller: calling, callee: called, stop };
  } catch (error) {
    await called.process.stop();
    throw error;
  }
}
