/**
 * Hooks of a container: what is done once it was started, and before it is asked to end.
 * Source: Kubernetes core/v1 Lifecycle, https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/
 */
import type { Fields } from "./decoder.ts";
import {
  type ExecAction,
  execAction,
  type HttpGetAction,
  httpGetAction,
  type NamedPort,
} from "./handler-actions.ts";

export interface Lifecycle {
  /** The container is not ready before it has ended; where it fails the container is started again. */
  readonly postStart?: LifecycleHook;
  /** It counts among the time that the pod has to end. */
  readonly preStop?: LifecycleHook;
}

export type LifecycleHook =
  | HttpGetAction
  | ExecAction
  | { readonly kind: "sleep"; readonly seconds: number };

export const HOOKS = ["postStart", "preStop"] as const;
export type HookName = (typeof HOOKS)[number];

const ACTIONS = ["exec", "httpGet", "sleep"] as const;

/**
 * Reads a container's `lifecycle`.
 *
 * @param ports what a hook's port may be the name of
 * @param graceSeconds what the pod has to end, which no sleep may exceed
 */
export function lifecycle(
  container: Fields,
  inputs: { readonly ports: readonly NamedPort[]; readonly graceSeconds: number },
): Lifecycle {
  const fields = container.section("lifecycle");
  fields.accept(HOOKS);
  fields.unused(["stopSignal"]);
  const given = HOOKS.filter((name) => fields.has(name));
  return Object.fromEntries(given.map((name) => [name, hook(fields.section(name), inputs)]));
}

function hook(
  fields: Fields,
  { ports, graceSeconds }: { readonly ports: readonly NamedPort[]; readonly graceSeconds: number },
): LifecycleHook {
  fields.accept(ACTIONS);
  fields.unsupported(["tcpSocket"], () => "tcpSocket of a hook");
  const given = ACTIONS.filter((kind) => fields.has(kind));
  if (given.length !== 1 && !fields.has("tcpSocket")) {
    fields.reportHere(`must have exactly one of ${ACTIONS.join(", ")}`);
  }
  const [kind] = given;
  if (kind === "httpGet") return httpGetAction(fields.section(kind), ports);
  if (kind === "sleep") return sleep(fields.section(kind), graceSeconds);
  return kind === undefined ? { kind: "exec", command: [] } : execAction(fields.section(kind));
}

function sleep(fields: Fields, graceSeconds: number): LifecycleHook {
  if (!fields.has("seconds")) fields.report("seconds", "is missing; expected a number");
  const seconds = fields.integer("seconds", { min: 0, max: graceSeconds }) ?? 0;
  return { kind: "sleep", seconds };
}
