/** Objects as upstream's tests hold them, completed to what an API server would take, and read as any user's YAML is. */
import { parseResources } from "../../src/api/parse-resources.ts";
import type { Resource } from "../../src/api/resource.ts";

/** Upstream may leave out what its test frame fills in: `apiVersion`, `kind`, the name, the namespace. */
export interface UpstreamObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec?: unknown;
}

/** One `List`, in which everything has a name; JSON is YAML. */
export function yamlOf(objects: readonly UpstreamObject[]): string {
  const items = objects.map((object, index) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    ...object,
    metadata: { name: `unnamed-${index}`, ...object.metadata },
  }));
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

/** What a user would be told of the text, all in one. */
export class RefusedResourcesError extends Error {}

/** @throws RefusedResourcesError listing the issues, if the text has any */
export function resourcesIn(yaml: string): readonly Resource[] {
  const { resources, issues } = parseResources(yaml, "case.yaml");
  if (issues.length === 0) return resources;
  throw new RefusedResourcesError(
    issues.map(({ path, problem }) => `${path} ${problem}`).join("; "),
  );
}
