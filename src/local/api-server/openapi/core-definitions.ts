/** What Kubernetes says of its own kinds, as a value. Read when somebody asks. */
import { CORE_DEFINITIONS_TEXT } from "./core-definitions-text.ts";
import type { OpenApiDefinitions, OpenApiSchema } from "./openapi-schema.ts";

let known: OpenApiDefinitions | undefined;

export function coreDefinitions(): OpenApiDefinitions {
  known ??= new Map(
    CORE_DEFINITIONS_TEXT.trim()
      .split("\n")
      .map((line): [string, OpenApiSchema] => {
        const [name = "", text = ""] = line.split("\t");
        return [name, JSON.parse(text)];
      }),
  );
  return known;
}

/**
 * @param apiVersion such as `apps/v1`
 * @returns its name among the definitions; undefined for a kind that is not Kubernetes' own
 */
export function coreDefinitionName(apiVersion: string, kind: string): string | undefined {
  const [group = "", version = ""] = apiVersion.includes("/")
    ? apiVersion.split("/")
    : ["core", apiVersion];
  const name = `io.k8s.api.${group.split(".")[0]}.${version}.${kind}`;
  return coreDefinitions().has(name) ? name : undefined;
}
