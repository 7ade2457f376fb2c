/** The variables of a container: written out, or taken from a ConfigMap, a Secret or the pod itself. */
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { subdomainProblem } from "./resource-names.ts";

/** Later ones win; all of them win over those of `envFrom`. */
export type EnvironmentVariable =
  | { readonly name: string; readonly value: string }
  | { readonly name: string; readonly from: EnvironmentSource };

export type EnvironmentSource =
  | DataKeyRef
  | { readonly kind: "fieldRef"; readonly fieldPath: PodFieldPath };

/** One key of a ConfigMap or Secret in the pod's namespace; if `optional`, its absence leaves the variable out. */
export interface DataKeyRef {
  readonly kind: "configMapKeyRef" | "secretKeyRef";
  readonly name: string;
  readonly key: string;
  readonly optional: boolean;
}

/** All keys of a ConfigMap or Secret as variables, each name with `prefix` before it. Later ones win. */
export interface EnvironmentBundle {
  readonly kind: "configMapRef" | "secretRef";
  readonly name: string;
  readonly prefix: string;
  readonly optional: boolean;
}

export const POD_FIELD_PATHS = [
  "metadata.name",
  "metadata.namespace",
  "spec.serviceAccountName",
  "status.podIP",
] as const;
export type PodFieldPath = (typeof POD_FIELD_PATHS)[number];

const SOURCES = ["configMapKeyRef", "secretKeyRef", "fieldRef"] as const;
const UNSUPPORTED_SOURCES = ["resourceFieldRef", "fileKeyRef"];
const UNSUPPORTED_FIELD_PATH =
  /^(metadata\.uid|metadata\.(labels|annotations)\['.+'\]|spec\.nodeName|status\.(hostIPs?|podIPs))$/;

export function environmentVariable(fields: Fields): EnvironmentVariable {
  const name = fields.requiredText("name", variableNameProblem);
  const value = fields.text("value", nulProblem) ?? "";
  if (!fields.has("valueFrom")) {
    fields.accept(["valueFrom"]);
    return { name, value };
  }
  if (value !== "") fields.report("valueFrom", "must not be given together with value");
  return { name, from: environmentSource(fields) };
}

function environmentSource(variable: Fields): EnvironmentSource {
  const fields = variable.section("valueFrom");
  const given = [...SOURCES, ...UNSUPPORTED_SOURCES].filter((kind) => fields.has(kind));
  fields.accept(SOURCES);
  fields.unsupported(UNSUPPORTED_SOURCES);
  if (given.length !== 1) {
    variable.report("valueFrom", `must have exactly one of ${SOURCES.join(", ")}`);
  }
  const kind = SOURCES.find((source) => given.includes(source));
  if (kind === "fieldRef") return { kind, fieldPath: podFieldPath(fields.section(kind)) };
  if (kind !== undefined) return { kind, ...dataKey(fields.section(kind)) };
  return { kind: "fieldRef", fieldPath: "metadata.name" };
}

function dataKey(fields: Fields): Omit<DataKeyRef, "kind"> {
  return {
    name: fields.requiredText("name", subdomainProblem),
    key: fields.requiredText("key", emptyProblem),
    optional: fields.flag("optional", "off"),
  };
}

function podFieldPath(fields: Fields): PodFieldPath {
  fields.accept(["apiVersion"]);
  const path = fields.requiredText("fieldPath");
  const known = POD_FIELD_PATHS.find((candidate) => candidate === path);
  if (known !== undefined) return known;
  const expected = `expected one of ${POD_FIELD_PATHS.join(", ")}`;
  if (UNSUPPORTED_FIELD_PATH.test(path)) {
    fields.report("fieldPath", `not supported yet: ${path}; ${expected}`);
  } else if (path !== "") fields.report("fieldPath", `is ${quoted(path)}; ${expected}`);
  return POD_FIELD_PATHS[0];
}

export function environmentBundle(fields: Fields): EnvironmentBundle {
  const kinds = ["configMapRef", "secretRef"] as const;
  const [kind, other] = kinds.filter((candidate) => fields.has(candidate));
  fields.accept(kinds);
  const prefix = fields.text("prefix", prefixProblem) ?? "";
  if (kind === undefined || other !== undefined) {
    fields.reportHere(`must have exactly one of ${kinds.join(", ")}`);
    return { kind: "configMapRef", name: "", prefix, optional: false };
  }
  const ref = fields.section(kind);
  const name = ref.requiredText("name", subdomainProblem);
  return { kind, name, prefix, optional: ref.flag("optional", "off") };
}

/** What no environment can hold as a name. */
export function variableNameProblem(name: string): string | undefined {
  if (/^[^=\0]+$/.test(name)) return undefined;
  return `${quoted(name)} is not the name of a variable: it must not be empty or have "="`;
}

function prefixProblem(prefix: string): string | undefined {
  return prefix === "" ? undefined : variableNameProblem(prefix);
}

function emptyProblem(text: string): string | undefined {
  return text === "" ? "must not be empty" : undefined;
}

/** A program's environment and arguments end at the first NUL. */
export function nulProblem(text: string): string | undefined {
  return text.includes("\0") ? "must not have a NUL character" : undefined;
}
