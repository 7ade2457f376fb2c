/** Where the pods of a case are on this machine. */
import type { Workload } from "../../../src/policy/workload.ts";
import { LOOPBACK } from "../../kit/sidecar-fixture.ts";

/** Pods of the table are 10.44.0.0/16; here they are in 127.44.0.0/16, which is this machine, too. */
export function onLoopback<T>(value: T): T {
  return JSON.parse(JSON.stringify(value).replaceAll('"10.44.', '"127.44.'));
}

export function addressOf({ addresses }: Workload): string {
  const { ipv4 = "" } = addresses ?? {};
  return onLoopback(ipv4).startsWith("127.") ? onLoopback(ipv4) : LOOPBACK;
}
