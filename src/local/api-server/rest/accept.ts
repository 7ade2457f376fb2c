/** In which form an answer is wanted. Source: RFC 9110 section 12.5.1, Kubernetes' `as`, `g` and `v`. */
import { StatusError } from "../objects/status-error.ts";

const MAX_HEADER = 4_096;

/** What objects are shown as; `version` is that of meta.k8s.io. */
export interface Transformation {
  readonly as: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  readonly version: string;
}

interface MediaRange {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * @returns undefined: objects as they are
 * @throws StatusError 406 when nothing that is served is accepted
 */
export function acceptedTransformation(accept: string | undefined): Transformation | undefined {
  for (const { type, parameters } of rangesOf(accept)) {
    if (!isJson(type)) continue;
    const as = parameters.get("as");
    if (as === undefined) return undefined;
    const version = parameters.get("v") ?? "";
    if (parameters.get("g") !== "meta.k8s.io" || !["v1", "v1beta1"].includes(version)) continue;
    if (as === "Table" || as === "PartialObjectMetadata" || as === "PartialObjectMetadataList")
      return { as, version };
  }
  throw new StatusError(406, "NotAcceptable", {
    message: "only the following media types are accepted: application/json, application/yaml",
  });
}

/** @returns the version of apidiscovery.k8s.io that all groups at once are wanted in; undefined: one group after the other */
export function acceptedDiscovery(accept: string | undefined): "v2" | "v2beta1" | undefined {
  for (const { type, parameters } of rangesOf(accept)) {
    if (!isJson(type)) continue;
    const version = parameters.get("v");
    if (parameters.get("as") !== "APIGroupDiscoveryList") return undefined;
    if (
      parameters.get("g") === "apidiscovery.k8s.io" &&
      (version === "v2" || version === "v2beta1")
    )
      return version;
  }
  return undefined;
}

/** YAML too: all JSON is. */
function isJson(type: string): boolean {
  return ["application/json", "application/yaml", "application/*", "*/*"].includes(type);
}

function rangesOf(accept: string | undefined): readonly MediaRange[] {
  const text = accept === undefined || accept.trim() === "" ? "*/*" : accept.slice(0, MAX_HEADER);
  return text.split(",").map((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const pairs = parameters.map((parameter): [string, string] => {
      const [name = "", value = ""] = parameter.split("=");
      return [name.toLowerCase(), value.replace(/^"(.*)"$/, "$1")];
    });
    return { type: type.toLowerCase(), parameters: new Map(pairs) };
  });
}
