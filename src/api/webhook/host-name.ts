/**
 * Names of hosts as Istio's webhook judges them: letters of both cases, `*` only at the front, addresses are none.
 * Each check says what is wrong, or undefined, in words that follow the path.
 */
import { isIP } from "node:net";
import { quoted } from "../quoted.ts";

const MAX_LABEL_LENGTH = 63;
const MAX_NAME_LENGTH = 255;
const LABEL = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const WILDCARD_LABEL = /^(\*|(\*|\*-)?[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;

/** One label of a DNS name, at most 63 characters; upper case is accepted, other than by Kubernetes. */
export function isDnsLabel(text: string): boolean {
  return text.length <= MAX_LABEL_LENGTH && LABEL.test(text);
}

/** A name without wildcard, short or full; a dot at its end is accepted. */
export function hostNameProblem(name: string): string | undefined {
  return lengthProblem(name) ?? (areLabels(name) ? undefined : notAHost(name));
}

/** A name whose first label may be `*`, or begin with `*` or `*-`. */
export function wildcardHostProblem(name: string): string | undefined {
  const problem = lengthProblem(name);
  if (problem !== undefined) return problem;
  const dot = name.indexOf(".");
  const first = dot < 0 ? name : name.slice(0, dot);
  const wellFormed =
    first.length <= MAX_LABEL_LENGTH &&
    WILDCARD_LABEL.test(first) &&
    (dot < 0 || areLabels(name.slice(dot + 1)));
  return wellFormed ? undefined : notAHost(name);
}

/** An IPv4 or IPv6 address, without range or brackets. */
export function isAddress(text: string): boolean {
  return isIP(text) !== 0;
}

function lengthProblem(name: string): string | undefined {
  if (name === "") return "must not be empty";
  return name.length > MAX_NAME_LENGTH
    ? `must not be longer than ${MAX_NAME_LENGTH} characters`
    : undefined;
}

function areLabels(name: string): boolean {
  const labels = name.split(".");
  const last = labels.at(-1) ?? "";
  if (isWholeNumber(last)) return false;
  return (last === "" ? labels.slice(0, -1) : labels).every(isDnsLabel);
}

/** Istio takes what exceeds 64 bits for a name. */
function isWholeNumber(text: string): boolean {
  return /^\d+$/.test(text) && BigInt(text) < 2n ** 63n;
}

function notAHost(name: string): string {
  return `${quoted(name)} is not the name of a host`;
}
