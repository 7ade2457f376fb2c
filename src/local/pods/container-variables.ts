/** The variables that a container's manifest sets: written out, or taken from a ConfigMap, a Secret or the pod. */
import type { Container } from "../../api/container.ts";
import type { DataKeyRef, EnvironmentSource } from "../../api/environment-variable.ts";
import { formatLocation, type Resource } from "../../api/resource.ts";
import type { Workload } from "../../policy/workload.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";
import { LOOPBACK } from "../port-allocator.ts";
import { findData } from "./container-files.ts";

/** A variable names a ConfigMap, Secret or key that is not there. */
export class MissingVariableDataError extends HauberkError {
  readonly code = "HAUBERK_MISSING_VARIABLE_DATA";
}

/** Only what the manifest itself writes may name other variables, and paths of volumes. */
export interface ContainerVariable {
  readonly text: string;
  readonly form: "written" | "literal";
}

interface Surroundings {
  readonly workload: Workload;
  readonly resources: readonly Resource[];
}

/**
 * Those of `envFrom` first, so that `env` wins over them.
 *
 * @throws MissingVariableDataError
 */
export function containerVariables(
  container: Container,
  surroundings: Surroundings,
): ReadonlyMap<string, ContainerVariable> {
  const variables = new Map<string, ContainerVariable>();
  for (const bundle of container.envFrom) {
    const kind = bundle.kind === "configMapRef" ? "configMap" : "secret";
    const { namespace } = surroundings.workload;
    const data = findData(surroundings.resources, { kind, namespace, name: bundle.name });
    if (data === undefined && !bundle.optional) {
      throw missing(container, `envFrom: ${kind} ${bundle.name} is not defined`);
    }
    for (const [key, value] of data ?? []) {
      variables.set(bundle.prefix + key, { text: asText(value), form: "literal" });
    }
  }
  for (const variable of container.env) {
    if ("value" in variable) {
      variables.set(variable.name, { text: variable.value, form: "written" });
      continue;
    }
    const text = valueFrom(variable.from, container, surroundings);
    if (text !== undefined) variables.set(variable.name, { text, form: "literal" });
  }
  return variables;
}

function valueFrom(
  source: EnvironmentSource,
  container: Container,
  surroundings: Surroundings,
): string | undefined {
  if (source.kind !== "fieldRef") return keyValue(source, container, surroundings);
  const { namespace, name, serviceAccount, addresses } = surroundings.workload;
  const fields = {
    "metadata.name": name,
    "metadata.namespace": namespace,
    "spec.serviceAccountName": serviceAccount,
    "status.podIP": addresses?.ipv4 ?? LOOPBACK,
  };
  return fields[source.fieldPath];
}

function keyValue(
  { kind, name, key, optional }: DataKeyRef,
  container: Container,
  { workload, resources }: Surroundings,
): string | undefined {
  const resourceKind = kind === "configMapKeyRef" ? "configMap" : "secret";
  const { namespace } = workload;
  const value = findData(resources, { kind: resourceKind, namespace, name })?.get(key);
  if (value === undefined && !optional) {
    throw missing(container, `env: ${resourceKind} ${name} has no key ${key}`);
  }
  return value === undefined ? undefined : asText(value);
}

function asText(value: Uint8Array): string {
  return Buffer.from(value).toString("utf8");
}

function missing({ source, name }: Container, problem: string): Error {
  return new MissingVariableDataError(
    `${formatLocation(source)}: container ${name}: ${problem}; define it, or mark it optional`,
  );
}
