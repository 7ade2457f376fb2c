/** What an object may be called. Source: Kubernetes' `apimachinery/pkg/api/validation`, RFC 1123 and RFC 1035. */
import type { ServedKind } from "../kinds/served-kind.ts";

const LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const RFC_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const RFC_1123_LABEL = new RegExp(`^${LABEL}$`);
const RFC_1123_SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

const MAX_LABEL = 63;
const MAX_SUBDOMAIN = 253;
/** What a server adds to `generateName`. */
const SUFFIX_CHARACTERS = 5;

/** Kinds whose names are not subdomains. */
const STRICTER: ReadonlyMap<string, "label" | "service" | "path segment"> = new Map([
  ["namespaces", "label"],
  ["services", "service"],
  ["roles.rbac.authorization.k8s.io", "path segment"],
  ["rolebindings.rbac.authorization.k8s.io", "path segment"],
  ["clusterroles.rbac.authorization.k8s.io", "path segment"],
  ["clusterrolebindings.rbac.authorization.k8s.io", "path segment"],
]);

/** @returns what is wrong with a name, in Kubernetes' words; empty where it may be used */
export function nameProblems({ group, plural }: ServedKind, name: string): readonly string[] {
  const form = STRICTER.get(group === "" ? plural : `${plural}.${group}`);
  switch (form) {
    case "label":
      return [...lengthProblems(name, MAX_LABEL), ...labelProblems(name)];
    case "service":
      return [...lengthProblems(name, MAX_LABEL), ...serviceProblems(name)];
    case "path segment":
      return segmentProblems(name);
    default:
      return [...lengthProblems(name, MAX_SUBDOMAIN), ...subdomainProblems(name)];
  }
}

/** @returns `prefix`, cut so that the suffix finds room, and the suffix */
export function generatedName(prefix: string, suffix: string): string {
  return `${prefix.slice(0, MAX_LABEL - SUFFIX_CHARACTERS)}${suffix}`;
}

function lengthProblems(name: string, most: number): string[] {
  return name.length > most ? [`must be no more than ${most} characters`] : [];
}

function labelProblems(name: string): string[] {
  if (RFC_1123_LABEL.test(name)) return [];
  return [
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
  ];
}

function serviceProblems(name: string): string[] {
  if (RFC_1035.test(name)) return [];
  return [
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
  ];
}

function subdomainProblems(name: string): string[] {
  if (RFC_1123_SUBDOMAIN.test(name)) return [];
  return [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ];
}

function segmentProblems(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return ["/", "%"].filter((one) => name.includes(one)).map((one) => `may not contain '${one}'`);
}
