/**
 * Writes what a real kube-apiserver says of the kinds that we serve too, with all that they consist of, to
 * `src/local/api-server/openapi/core-definitions-text.ts`.
 *
 *     node --import tsx test/interop/kubernetes/write-definitions.ts
 */
import { writeFile } from "node:fs/promises";
import { startRealApiServer } from "./real-api-server.ts";

/** By group and version: kinds, of which the definitions are kept with what they refer to. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  "api/v1": [
    "Namespace",
    "ServiceAccount",
    "Service",
    "Endpoints",
    "Pod",
    "ConfigMap",
    "Secret",
    "Event",
  ],
  "apis/apps/v1": ["Deployment", "ReplicaSet", "StatefulSet"],
  "apis/batch/v1": ["Job"],
  "apis/networking.k8s.io/v1": ["NetworkPolicy"],
  "apis/discovery.k8s.io/v1": ["EndpointSlice"],
  "apis/events.k8s.io/v1": ["Event"],
  "apis/rbac.authorization.k8s.io/v1": ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"],
};
const FILE = "src/local/api-server/openapi/core-definitions-text.ts";
const HEAD = `/**
 * What Kubernetes says of its own kinds: one OpenAPI definition a line, \`NAME\\tJSON\`. Written by
 * \`test/interop/kubernetes/write-definitions.ts\` from a real kube-apiserver's /openapi/v3; texts are those of the
 * Kubernetes authors (Apache License 2.0).
 */
export const CORE_DEFINITIONS_TEXT: string = String.raw\`
`;

type Definitions = Readonly<Record<string, unknown>>;

const real = await startRealApiServer();
try {
  const kept = new Map<string, unknown>();
  for (const [group, kinds] of Object.entries(KINDS)) {
    const { body } = await real.call({ method: "GET", path: `/openapi/v3/${group}` });
    const { components } = body as { components: { schemas: Definitions } };
    for (const [name, definition] of Object.entries(components.schemas))
      if (kinds.some((kind) => isOf(definition, { group, kind })))
        keep(name, { definitions: components.schemas, kept });
  }
  const lines = [...kept].sort().map(([name, definition]) => `${name}\t${printed(definition)}\n`);
  await writeFile(FILE, `${HEAD}${lines.join("")}\`;\n`);
} finally {
  await real.stop();
}

function isOf(
  definition: unknown,
  { group, kind }: { readonly group: string; readonly kind: string },
): boolean {
  const own = (definition as Definitions)["x-kubernetes-group-version-kind"] as
    | readonly { group: string; version: string; kind: string }[]
    | undefined;
  const [, name = "", version = name] = group.split("/");
  const wanted = version === name ? "" : name;
  return own?.some((one) => one.kind === kind && one.group === wanted) === true;
}

function keep(
  name: string,
  { definitions, kept }: { readonly definitions: Definitions; readonly kept: Map<string, unknown> },
): void {
  if (kept.has(name)) return;
  kept.set(name, definitions[name]);
  for (const [, inner = ""] of JSON.stringify(definitions[name]).matchAll(
    /"\$ref":"#\/components\/schemas\/([^"]+)"/g,
  ))
    keep(inner, { definitions, kept });
}

/** As JSON that may stand in a template without escapes. */
function printed(definition: unknown): string {
  return JSON.stringify(definition).replaceAll("`", "\\u0060").replaceAll("${", "\\u0024{");
}
