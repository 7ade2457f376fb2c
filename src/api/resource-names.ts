/**
 * What resources, labels and ports may be called.
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and labels/
 */
import { quoted } from "./quoted.ts";

const DNS_1123_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_1123_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DNS_1035_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const PORT_NAME = /^(?!.*--)[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_WORD = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** RFC 1123 label, at most 63 characters: namespaces, containers, service ports. */
export function labelNameProblem(name: string): string | undefined {
  if (name.length <= 63 && DNS_1123_LABEL.test(name)) return undefined;
  return `${quoted(name)} is not a DNS label: 1 to 63 lower case letters, digits and "-", no "-" at either end`;
}

/** RFC 1123 subdomain, at most 253 characters: most resources. */
export function subdomainProblem(name: string): string | undefined {
  if (name.length <= 253 && DNS_1123_SUBDOMAIN.test(name)) return undefined;
  return `${quoted(name)} is not a DNS subdomain: 1 to 253 lower case letters, digits, "-" and ".", each part beginning and ending with a letter or digit`;
}

/** RFC 1035 label, at most 63 characters: services. */
export function serviceNameProblem(name: string): string | undefined {
  if (name.length <= 63 && DNS_1035_LABEL.test(name)) return undefined;
  return `${quoted(name)} is not a service name: 1 to 63 lower case letters, digits and "-", beginning with a letter and not ending with "-"`;
}

/** RFC 6335 service name in lower case, at most 15 characters: named container ports. */
export function portNameProblem(name: string): string | undefined {
  if (name.length <= 15 && PORT_NAME.test(name) && /[a-z]/.test(name)) return undefined;
  return `${quoted(name)} is not a port name: 1 to 15 lower case letters, digits and "-", with at least one letter, no "-" at either end or twice in a row`;
}

export function labelKeyProblem(key: string): string | undefined {
  const slash = key.indexOf("/");
  const word = key.slice(slash + 1);
  const prefixed = slash < 0 || subdomainProblem(key.slice(0, slash)) === undefined;
  if (prefixed && word.length <= 63 && LABEL_WORD.test(word)) return undefined;
  return "is not a label key: an optional DNS subdomain and \"/\", then 1 to 63 letters, digits, '-', '_' and '.'";
}

export function labelValueProblem(value: string): string | undefined {
  if (value === "" || (value.length <= 63 && LABEL_WORD.test(value))) return undefined;
  return `${quoted(value)} is not a label value: at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit`;
}
