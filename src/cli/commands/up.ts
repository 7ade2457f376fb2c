/** Runs a mesh until asked to stop. Exit 0: stopped as asked; 1: the files are faulty or a part did not come up. */

import { resolve } from "node:path";
import { awaitsPluggedFiles } from "../../ca/plugged-authority-files.ts";
import { readPluggedAuthority } from "../../ca/read-plugged-authority.ts";
import type { ControlPlaneSettings } from "../../control/control-plane-messages.ts";
import { authorityFolderProblem } from "../../local/authority-folder-problem.ts";
import type { DataPlane } from "../../local/pods/data-plane.ts";
import { systemClock } from "../../runtime/clock.ts";
import { enterNetwork } from "../enter-network.ts";
import { isInside } from "../host-pipe.ts";
import type { NetworkChoice } from "../network-choice.ts";
import type { Print } from "../print-line.ts";
import { startMesh } from "../start-mesh.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

export interface UpOptions {
  readonly file: readonly string[];
  readonly data: string;
  readonly network: NetworkChoice;
  readonly proxy: DataPlane;
  /** Path of Envoy's program. */
  readonly envoy?: string;
  /** Folder of a custom authority. */
  readonly cacerts?: string;
  /** What other meshes call this one. */
  readonly cluster: string;
  /** Port of loopback on which the trust bundle is served. */
  readonly bundleEndpoint?: number;
  /** Port of loopback on which the control plane's metrics are served. */
  readonly metricsPort?: number;
}

/** @throws PluggedAuthorityError when the custom authority is bad: nothing was started */
export async function upCommand(options: UpOptions, print: Print): Promise<number> {
  if (options.cacerts !== undefined) await checkCustomAuthority(options.cacerts, print);
  const network = await enterNetwork(options, print);
  if (network.mode === "ran-inside") return network.exitCode;
  const unreachable = network.mode === "namespaces" ? portOptions(options) : [];
  if (unreachable.length > 0) {
    print(
      `${unreachable.join(", ")}: nobody reaches a port of a control plane in namespaces yet; add --network loopback (\`hauberk ca metrics\` prints the metrics of any mesh)`,
    );
    return 1;
  }
  const signal = stopSignal();
  const started = await startMesh(
    { ...options, network, controlPlane: settingsOf(options) },
    print,
  );
  if (started === undefined) return 1;
  print("Ctrl-C stops it");
  await aborted(signal);
  print("stopping");
  await started.close();
  return 0;
}

/** @throws PluggedAuthorityError */
async function checkCustomAuthority(folder: string, print: Print): Promise<void> {
  const awaits = await awaitsPluggedFiles(folder);
  if (!awaits) await readPluggedAuthority(folder, { now: systemClock.now() });
  // Inside, what belongs to whom is not to be seen, and it was told before.
  const problem = isInside() ? undefined : await authorityFolderProblem(folder);
  if (problem !== undefined)
    print(`note: ${problem}: whoever writes there can make an authority of theirs the mesh's`);
  if (!awaits) return;
  print(
    `${folder} is empty: until an authority is there, the one that signed before goes on, in a new mesh one of its own`,
  );
}

function portOptions({ bundleEndpoint, metricsPort }: UpOptions): readonly string[] {
  return [
    ...(bundleEndpoint === undefined ? [] : ["--bundle-endpoint"]),
    ...(metricsPort === undefined ? [] : ["--metrics-port"]),
  ];
}

function settingsOf(options: UpOptions): ControlPlaneSettings {
  const { cacerts, cluster, bundleEndpoint, metricsPort } = options;
  return {
    cluster,
    ...(cacerts !== undefined && { cacerts: resolve(cacerts) }),
    ...(bundleEndpoint !== undefined && { bundleEndpointPort: bundleEndpoint }),
    ...(metricsPort !== undefined && { metricsPort }),
  };
}
