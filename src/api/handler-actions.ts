/**
 * What is done to a container from outside, by probes and by hooks alike: a request over HTTP, a command in it.
 * Source: Kubernetes core/v1 HTTPGetAction, ExecAction.
 */
import type { Fields } from "./decoder.ts";
import { nulProblem } from "./environment-variable.ts";
import { quoted } from "./quoted.ts";
import { portNameProblem } from "./resource-names.ts";

export interface HttpGetAction {
  readonly kind: "httpGet";
  /** Nothing of a certificate is checked. */
  readonly scheme: "HTTP" | "HTTPS";
  /** With its query; begins with "/". */
  readonly path: string;
  /** The container's port. */
  readonly port: number;
  readonly headers: readonly SentHeader[];
}

export interface SentHeader {
  readonly name: string;
  readonly value: string;
}

export interface ExecAction {
  readonly kind: "exec";
  readonly command: readonly string[];
}

export interface NamedPort {
  readonly name: string;
  readonly containerPort: number;
}

/** RFC 9110 section 5.6.2 */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** @param ports what its port may be the name of */
export function httpGetAction(fields: Fields, ports: readonly NamedPort[]): HttpGetAction {
  refuseHost(fields);
  return {
    kind: "httpGet",
    scheme: fields.choice("scheme", ["HTTP", "HTTPS"], "HTTP"),
    path: asked(fields.text("path", pathProblem) ?? "/"),
    port: actionPort(fields, ports),
    headers: fields.list("httpHeaders").map(headerOf),
  };
}

export function execAction(fields: Fields): ExecAction {
  if (fields.saysNothing("command")) fields.report("command", "must have at least one item");
  return { kind: "exec", command: fields.texts("command", nulProblem) };
}

/** Nobody but the pod itself is asked. */
export function refuseHost(fields: Fields): void {
  fields.unsupported(["host"], () => "host of a probe or hook");
}

/** A name is looked up here, so that a misspelt one is told instead of failing for ever. */
export function actionPort(fields: Fields, ports: readonly NamedPort[]): number {
  if (!fields.has("port")) fields.report("port", "is missing; expected a number or a name");
  const port = fields.portOrName("port", portNameProblem) ?? 0;
  if (typeof port === "number") return port;
  const named = ports.find(({ name }) => name === port);
  if (named === undefined) fields.report("port", `${quoted(port)} is not a port of the container`);
  return named?.containerPort ?? 0;
}

/** A missing slash is added, and a fragment is for nobody but a browser. */
function asked(path: string): string {
  const [sent = ""] = path.split("#", 1);
  return sent.startsWith("/") ? sent : `/${sent}`;
}

function headerOf(fields: Fields): SentHeader {
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
