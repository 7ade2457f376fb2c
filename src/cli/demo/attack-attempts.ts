/** All that an intruder in a pod tries, by what it is after. */
import type { AttackAims } from "./attack-aims.ts";
import type { Attempt } from "./attack-attempt.ts";
import { kernelAttempts, machineAttempts } from "./attack-on-machine.ts";
import { credentialAttempts, dataAttempts, keyAttempts } from "./attack-on-mesh.ts";
import { administrationAttempts, applicationAttempts } from "./attack-on-pods.ts";

export interface AttackCategory {
  /** What is attacked, in a word and in a few. */
  readonly target: string;
  readonly object: string;
  readonly attempts: (aims: AttackAims) => readonly Attempt[];
}

export const ATTACKS: readonly AttackCategory[] = [
  { target: "api", object: "another pod's application", attempts: applicationAttempts },
  { target: "sidecars", object: "a sidecar's administration", attempts: administrationAttempts },
  { target: "keys", object: "tokens, keys and memory", attempts: keyAttempts },
  { target: "data", object: "the data directory", attempts: dataAttempts },
  { target: "control plane", object: "the CA and the control plane", attempts: credentialAttempts },
  { target: "kernel", object: "the kernel's rules", attempts: kernelAttempts },
  { target: "host", object: "the host", attempts: machineAttempts },
];
