/**
 * Probes: how to find out whether a container is alive, ready or started.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/
 */
import type { Fields } from "./decoder.ts";
import { nulProblem } from "./environment-variable.ts";
import {
  actionPort,
  type ExecAction,
  execAction,
  type HttpGetAction,
  httpGetAction,
  type NamedPort,
  refuseHost,
} from "./handler-actions.ts";

export interface Probe {
  readonly check: ProbeCheck;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  /** Failures in a row after which the container counts as failed. */
  readonly failureThreshold: number;
  /** Successes in a row after which it counts as well again. */
  readonly successThreshold: number;
  /** What the container has to end where it failed; absent: what its pod says. Never of a readiness probe. */
  readonly terminationGracePeriodSeconds?: number;
}

export type ProbeCheck =
  | HttpGetAction
  | { readonly kind: "tcpSocket"; readonly port: number }
  /** `grpc.health.v1.Health`, in plaintext; an empty service is the server as a whole. */
  | { readonly kind: "grpc"; readonly port: number; readonly service: string }
  | ExecAction;

export const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
export type ProbeName = (typeof PROBES)[number];

const CHECKS = ["httpGet", "tcpSocket", "grpc", "exec"] as const;
const MAX_SECONDS = 86_400;
const MAX_COUNT = 10_000;

/**
 * Reads one of a container's probes.
 *
 * @param ports what a probe's port may be the name of
 */
export function probe(
  container: Fields,
  { name, ports }: { readonly name: ProbeName; readonly ports: readonly NamedPort[] },
): Probe {
  const fields = container.section(name);
  const grace =
    name === "readinessProbe"
      ? undefined
      : fields.integer("terminationGracePeriodSeconds", { min: 1, max: MAX_SECONDS });
  const successThreshold = count(fields, { name: "successThreshold", standard: 1 });
  if (name !== "readinessProbe" && successThreshold !== 1) {
    fields.report("successThreshold", `must be 1 in a ${name}`);
  }
  return {
    check: probeCheck(fields, ports),
    initialDelaySeconds: fields.integer("initialDelaySeconds", { min: 0, max: MAX_SECONDS }) ?? 0,
    periodSeconds: seconds(fields, { name: "periodSeconds", standard: 10 }),
    timeoutSeconds: seconds(fields, { name: "timeoutSeconds", standard: 1 }),
    failureThreshold: count(fields, { name: "failureThreshold", standard: 3 }),
    successThreshold,
    ...(grace !== undefined && { terminationGracePeriodSeconds: grace }),
  };
}

interface Standard {
  readonly name: string;
  readonly standard: number;
}

/** 0 means the standard value, as in Kubernetes. */
function seconds(fields: Fields, { name, standard }: Standard): number {
  return fields.integer(name, { min: 0, max: MAX_SECONDS }) || standard;
}

function count(fields: Fields, { name, standard }: Standard): number {
  return fields.integer(name, { min: 0, max: MAX_COUNT }) || standard;
}

function probeCheck(fields: Fields, ports: readonly NamedPort[]): ProbeCheck {
  fields.accept(CHECKS);
  const given = CHECKS.filter((kind) => fields.has(kind));
  if (given.length !== 1) {
    fields.reportHere(`must have exactly one of ${CHECKS.join(", ")}`);
  }
  const kind = given[0];
  if (kind === "httpGet") return httpGetAction(fields.section(kind), ports);
  if (kind === "tcpSocket") return tcpSocket(fields.section(kind), ports);
  if (kind === "grpc") return grpc(fields.section(kind));
  return kind === undefined ? { kind: "exec", command: [] } : execAction(fields.section(kind));
}

function tcpSocket(fields: Fields, ports: readonly NamedPort[]): ProbeCheck {
  refuseHost(fields);
  return { kind: "tcpSocket", port: actionPort(fields, ports) };
}

/** Its port is never a name. */
function grpc(fields: Fields): ProbeCheck {
  if (!fields.has("port")) fields.report("port", "is missing; expected a number");
  const port = fields.integer("port", { min: 1, max: 65_535 }) ?? 0;
  return { kind: "grpc", port, service: fields.text("service", nulProblem) ?? "" };
}
