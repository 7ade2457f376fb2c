/** OPA as WebAssembly, with data indexed by hand as `opa/authorization.rego` expects it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Engine } from "./engine.ts";
import type { MixedRequest, MixedRule } from "./mixed-rules.ts";

interface LoadedPolicy {
  setData(data: object): void;
  evaluate(input: object): readonly { readonly result: unknown }[];
}

type LoadPolicy = (
  wasm: Buffer,
  memory: { readonly initial: number; readonly maximum: number },
) => Promise<LoadedPolicy>;

/** Pages of 64 KiB: room for the rules as data. */
const MEMORY = { initial: 64, maximum: 32_768 };

const { loadPolicy }: { readonly loadPolicy: LoadPolicy } = createRequire(import.meta.url)(
  "@open-policy-agent/opa-wasm",
);

export const opaEngine: Engine = {
  name: "opa-wasm, indexed",
  async load(rules) {
    const wasm = readFileSync(join(import.meta.dirname, "opa/policy.wasm"));
    const policy = await loadPolicy(wasm, MEMORY);
    policy.setData({ deny: indexed(rules, "DENY"), allow: indexed(rules, "ALLOW") });
    return (request) => {
      const input = inputOf(request);
      return () => policy.evaluate(input)[0]?.result === true;
    };
  },
};

function inputOf({
  principal,
  namespace,
  account,
  method,
  host,
  port,
  path,
  headers,
}: MixedRequest): object {
  const prefix = `cluster.local/ns/${namespace}/`;
  const suffix = `/sa/${account}`;
  return { principal, prefix, suffix, namespace, method, host, port: String(port), path, headers };
}

type Buckets = Record<string, object[]>;

function indexed(rules: readonly MixedRule[], action: MixedRule["action"]): object {
  const index: Record<"principal" | "prefix" | "suffix" | "namespace", Buckets> = {
    principal: {},
    prefix: {},
    suffix: {},
    namespace: {},
  };
  const rest: object[] = [];
  for (const rule of rules) {
    if (rule.action !== action) continue;
    const data = asData(rule);
    for (const value of rule.principals ?? [])
      put(bucketOf(index, value), value.replace("*", ""), data);
    for (const value of rule.namespaces ?? []) put(index.namespace, value, data);
    if (!rule.principals && !rule.namespaces) rest.push(data);
  }
  return { ...index, rest };
}

function bucketOf<T>(
  index: Readonly<Record<"principal" | "prefix" | "suffix", T>>,
  value: string,
): T {
  if (value.startsWith("*")) return index.suffix;
  return value.endsWith("*") ? index.prefix : index.principal;
}

function put(buckets: Buckets, key: string, data: object): void {
  const bucket = buckets[key];
  if (bucket === undefined) buckets[key] = [data];
  else bucket.push(data);
}

const LISTS = ["methods", "ports", "hosts", "paths", "notPaths", "notPrincipals"] as const;

function asData(rule: MixedRule): object {
  const lists = LISTS.flatMap((name) => {
    const values = rule[name];
    return values === undefined ? [] : [[name, patterns(values)]];
  });
  const { header } = rule;
  return {
    ...Object.fromEntries(lists),
    ...(header && { header: { name: header.name, values: patterns(header.values) } }),
  };
}

function patterns(values: readonly string[]): object {
  return {
    exact: values.filter((value) => !value.includes("*")),
    prefix: values.filter((value) => value.endsWith("*")).map((value) => value.slice(0, -1)),
    suffix: values.filter((value) => value.startsWith("*")).map((value) => value.slice(1)),
  };
}
