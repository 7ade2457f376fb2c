/** Runs a mesh until asked to stop. Exit 0: stopped as asked; 1: the files are faulty or a part did not come up. */
import { type Print, startMesh } from "../start-mesh.ts";
import { aborted, stopSignal } from "../stop-signal.ts";

export async function upCommand(
  options: { readonly file: readonly string[]; readonly data: string },
  print: Print,
): Promise<number> {
  const signal = stopSignal();
  const started = await startMesh(options, print);
  if (started === undefined) return 1;
  print("Ctrl-C stops it");
  await aborted(signal);
  print("stopping");
  await started.close();
  return 0;
}
