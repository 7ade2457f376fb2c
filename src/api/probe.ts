/**
 * Probes: how to find out whether a container is alive, ready or started.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/
 */
import type { Fields } from "./decoder.ts";
import { nulProblem } from "./environment-variable.ts";
import { quoted } from "./quoted.ts";
import { portNameProblem } from "./resource-names.ts";

export interface Probe {
  readonly check: ProbeCheck;
  readonly initialDelaySeconds: number;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  /** Failures in a row after which the container counts as failed. */
  readonly failureThreshold: number;
  /** Successes in a row after which it counts as well again. */
  readonly successThreshold: number;
}

export type ProbeCheck =
  | {
      readonly kind: "httpGet";
      /** Nothing of a certificate is checked. */
      readonly scheme: "HTTP" | "HTTPS";
      /** With its query; begins with "/". */
      readonly path: string;
      /** The container's port. */
      readonly port: number;
      readonly headers: readonly ProbeHeader[];
    }
  | { readonly kind: "tcpSocket"; readonly port: number }
  /** `grpc.health.v1.Health`, in plaintext; an empty service is the server as a whole. */
  | { readonly kind: "grpc"; readonly port: number; readonly service: string }
  | { readonly kind: "exec"; readonly command: readonly string[] };

export interface ProbeHeader {
  readonly name: string;
  readonly value: string;
}

export interface NamedPort {
  readonly name: string;
  readonly containerPort: number;
}

export const PROBES = ["livenessProbe", "readinessProbe", "startupProbe"] as const;
export type ProbeName = (typeof PROBES)[number];

const CHECKS = ["httpGet", "tcpSocket", "grpc", "exec"] as const;
const MAX_SECONDS = 86_400;
const MAX_COUNT = 10_000;
/** RFC 9110 section 5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Reads one of a container's probes.
 *
 * @param ports what a probe's port may be the name of
 */
export function probe(
  container: Fields,
  { name, ports }: { readonly name: ProbeName; readonly ports: readonly NamedPort[] },
): Probe {
  const fields = container.section(name);
  if (name !== "readinessProbe") fields.unused(["terminationGracePeriodSeconds"]);
  const successThreshold = count(fields, { name: "successThreshold", standard: 1 });
  if (name !== "readinessProbe" && successThreshold !== 1) {
    fields.report("successThreshold", `must be 1 in a ${name}`);
  }
  return {
    check: probeCheck(fields, ports),
    initialDelaySeconds: fields.integer("initialDelaySeconds", { min: 0, max: MAX_SECONDS }) ?? 0,
    periodSeconds: seconds(fields, { name: "periodSeconds", standard: 10 }),
    timeoutSeconds: seconds(fields, { name: "timeoutSeconds", standard: 1 }),
    failureThreshold: count(fields, { name: "failureThreshold", standard: 3 }),
    successThreshold,
  };
}

interface Standard {
  readonly name: string;
  readonly standard: number;
}

/** 0 means the standard value, as in Kubernetes. */
function seconds(fields: Fields, { name, standard }: Standard): number {
  return fields.integer(name, { min: 0, max: MAX_SECONDS }) || standard;
}

function count(fields: Fields, { name, standard }: Standard): number {
  return fields.integer(name, { min: 0, max: MAX_COUNT }) || standard;
}

function probeCheck(fields: Fields, ports: readonly NamedPort[]): ProbeCheck {
  fields.accept(CHECKS);
  const given = CHECKS.filter((kind) => fields.has(kind));
  if (given.length !== 1) {
    fields.reportHere(`must have exactly one of ${CHECKS.join(", ")}`);
  }
  const kind = given[0];
  if (kind === "httpGet") return httpGet(fields.section(kind), ports);
  if (kind === "tcpSocket") return tcpSocket(fields.section(kind), ports);
  if (kind === "grpc") return grpc(fields.section(kind));
  return { kind: "exec", command: kind === undefined ? [] : commandOf(fields.section(kind)) };
}

function httpGet(fields: Fields, ports: readonly NamedPort[]): ProbeCheck {
  fields.unsupported(["host"], () => "host of a probe");
  return {
    kind: "httpGet",
    scheme: fields.choice("scheme", ["HTTP", "HTTPS"], "HTTP"),
    path: asked(fields.text("path", pathProblem) ?? "/"),
    port: portOf(fields, ports),
    headers: fields.list("httpHeaders").map(headerOf),
  };
}

/** A missing slash is added, and a fragment is for nobody but a browser. */
function asked(path: string): string {
  const [sent = ""] = path.split("#", 1);
  return sent.startsWith("/") ? sent : `/${sent}`;
}

function tcpSocket(fields: Fields, ports: readonly NamedPort[]): ProbeCheck {
  fields.unsupported(["host"], () => "host of a probe");
  return { kind: "tcpSocket", port: portOf(fields, ports) };
}

/** Its port is never a name. */
function grpc(fields: Fields): ProbeCheck {
  if (!fields.has("port")) fields.report("port", "is missing; expected a number");
  const port = fields.integer("port", { min: 1, max: 65_535 }) ?? 0;
  return { kind: "grpc", port, service: fields.text("service", nulProblem) ?? "" };
}

function commandOf(exec: Fields): readonly string[] {
  if (exec.saysNothing("command")) exec.report("command", "must have at least one item");
  return exec.texts("command", nulProblem);
}

/** A name is looked up here, so that a misspelt one is told instead of failing for ever. */
function portOf(fields: Fields, ports: readonly NamedPort[]): number {
  if (!fields.has("port")) fields.report("port", "is missing; expected a number or a name");
  const port = fields.portOrName("port", portNameProblem) ?? 0;
  if (typeof port === "number") return port;
  const named = ports.find(({ name }) => name === port);
  if (named === undefined) fields.report("port", `${quoted(port)} is not a port of the container`);
  return named?.containerPort ?? 0;
}

function headerOf(fields: Fields): ProbeHeader {
  const name = fields.requiredText("name", (text) =>
    TOKEN.test(text) ? undefined : `${quoted(text)} is not the name of a header`,
  );
  const value = fields.text("value", (text) =>
    /[\0\r\n]/.test(text) ? "must not have line breaks or NUL" : undefined,
  );
  return { name, value: value ?? "" };
}

function pathProblem(path: string): string | undefined {
  return /^[\x21-\x7e]*$/.test(path)
    ? undefined
    : `${quoted(path)} must be printable ASCII without spaces`;
}
