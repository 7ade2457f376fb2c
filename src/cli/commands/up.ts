/** Runs a mesh until asked to stop. Exit 0: stopped as asked; 1: the files are faulty or a part did not come up. */

import { enterNetwork } from "../enter-network.ts";
import type { NetworkChoice } from "../network-choice.ts";
import type { Print } from "../print-line.ts";
import { startMesh } from "../start-mesh.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

export async function upCommand(
  options: {
    readonly file: readonly string[];
    readonly data: string;
    readonly network: NetworkChoice;
  },
  print: Print,
): Promise<number> {
  const network = await enterNetwork(options.network, print);
  if (network.mode === "ran-inside") return network.exitCode;
  const signal = stopSignal();
  const started = await startMesh({ ...options, network }, print);
  if (started === undefined) return 1;
  print("Ctrl-C stops it");
  await aborted(signal);
  print("stopping");
  await started.close();
  return 0;
}
