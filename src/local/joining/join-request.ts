/** What a process asks for that wants to join a running mesh: a workload's name, identity and ports, read from the wire. */
import type { Labels } from "../../api/resource.ts";
import { HauberkError } from "../../runtime/hauberk-error.ts";

export interface JoinRequest {
  /** Of the workload, and of the Service that leads to it. */
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** On top of `app: NAME`. */
  readonly labels: Labels;
  readonly ports: readonly JoinPort[];
  /** Name of the program's file, for people. */
  readonly program: string;
}

export interface JoinPort {
  readonly port: number;
  /** "auto" is found out from the first bytes. */
  readonly protocol: JoinProtocol;
  /** Where the program listens in any case; absent when it asks its environment. */
  readonly listensOn?: number;
}

export const JOIN_PROTOCOLS = ["auto", "http", "http2", "tcp"] as const;
export type JoinProtocol = (typeof JOIN_PROTOCOLS)[number];

const MAX_TEXT = 253;
const MAX_PORTS = 32;
const MAX_LABELS = 64;

/** Somebody spoke to the supervisor's socket in a way that this version does not. */
export class MalformedMessageError extends HauberkError {
  readonly code = "HAUBERK_MALFORMED_MESSAGE";
}

/**
 * Checks shapes and sizes only; whether names and labels are good is for the resources made of them to say.
 *
 * @throws MalformedMessageError
 */
export function parseJoinRequest(value: unknown): JoinRequest {
  const fields = recordOf(value, "request");
  return {
    name: textOf(fields["name"], "name"),
    namespace: textOf(fields["namespace"], "namespace"),
    serviceAccount: textOf(fields["serviceAccount"], "serviceAccount"),
    labels: parseLabels(fields["labels"]),
    ports: listOf(fields["ports"], { what: "ports", limit: MAX_PORTS }).map(parsePort),
    program: textOf(fields["program"], "program"),
  };
}

function parseLabels(value: unknown): Labels {
  const labels = Object.entries(recordOf(value, "labels"));
  if (labels.length > MAX_LABELS) throw malformed("labels", `at most ${MAX_LABELS}`);
  return Object.fromEntries(labels.map(([key, label]) => [key, textOf(label, `label ${key}`)]));
}

function parsePort(value: unknown): JoinPort {
  const { port, protocol, listensOn } = recordOf(value, "port");
  const known = JOIN_PROTOCOLS.find((candidate) => candidate === protocol);
  if (known === undefined) throw malformed("protocol", JOIN_PROTOCOLS.join(", "));
  const parsed = { port: portNumberOf(port, "port"), protocol: known };
  if (listensOn === undefined) return parsed;
  return { ...parsed, listensOn: portNumberOf(listensOn, "listensOn") };
}

/** @throws MalformedMessageError */
export function recordOf(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw malformed(what, "an object");
  }
  return value as Readonly<Record<string, unknown>>;
}

/** @throws MalformedMessageError */
export function listOf(
  value: unknown,
  { what, limit }: { readonly what: string; readonly limit: number },
): readonly unknown[] {
  if (!Array.isArray(value) || value.length > limit) {
    throw malformed(what, `a list of at most ${limit}`);
  }
  return value;
}

export function textOf(value: unknown, what: string): string {
  if (typeof value !== "string" || value.length > MAX_TEXT) {
    throw malformed(what, `a text of at most ${MAX_TEXT} characters`);
  }
  return value;
}

function portNumberOf(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > 65_535) {
    throw malformed(what, "a port from 1 to 65535");
  }
  return value;
}

function malformed(what: string, expected: string): MalformedMessageError {
  return new MalformedMessageError(`${what}: expected ${expected}`);
}
