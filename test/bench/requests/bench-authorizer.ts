/** An authorizer that allows everything, over gRPC, in a process of its own on the load's core. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface BenchAuthorizer {
  readonly port: number;
  close(): void;
}

export async function startAuthorizer(): Promise<BenchAuthorizer> {
  const child = fork(join(import.meta.dirname, "authorizer-process.ts"));
  const [port] = (await once(child, "message")) as [number]; // our own program
  return { port, close: () => child.disconnect() };
}
