/** The resources that a case applies, as plain objects: what rules of exclusion, and the frame around the mesh, go by. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { E2eCase } from "./e2e-case.ts";

export interface RenderedPolicy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: Readonly<Record<string, unknown>>;
}

const read = new Map<string, readonly RenderedPolicy[]>();

/** @param folder where the table lies */
export function renderedPolicies(
  { renderedPolicies: name }: Pick<E2eCase, "renderedPolicies">,
  folder: string,
): readonly RenderedPolicy[] {
  if (name === undefined) return [];
  const file = join(folder, name);
  if (!existsSync(file)) throw new Error(`${name} is not there`);
  const known = read.get(file);
  if (known !== undefined) return known;
  const documents = parseAllDocuments(readFileSync(file, "utf8"));
  const policies = documents
    .map((document) => document.toJS() as RenderedPolicy | null)
    .filter((policy) => policy !== null);
  read.set(file, policies);
  return policies;
}

/** Those of one of Istio's kinds: the Gateway API has a Gateway too. */
export function ofIstioKind(
  policies: readonly RenderedPolicy[],
  kind: string,
): readonly RenderedPolicy[] {
  return policies.filter(
    (policy) => policy.kind === kind && /\bistio\.io\//.test(policy.apiVersion),
  );
}

/** What an object holds under a name, if that is an object; else nothing. */
export function section(
  value: unknown,
  ...path: readonly string[]
): Readonly<Record<string, unknown>> {
  const [name, ...rest] = path;
  const here = isObject(value) ? value : {};
  return name === undefined ? here : section(here[name], ...rest);
}

/** What an object holds under a name, if that is a list; else nothing. */
export function items(value: unknown, name: string): readonly unknown[] {
  const held = section(value)[name];
  return Array.isArray(held) ? held : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
