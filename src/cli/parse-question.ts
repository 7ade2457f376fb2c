/** From what a user types to a question about a mesh; whatever is not known there is answered with what is. */
import type { Service, ServicePort } from "../api/service.ts";
import type { MeshSnapshot, SelectedWorkloads } from "../policy/mesh-snapshot.ts";
import { type AskedRequest, type Question, QuestionError } from "../policy/question.ts";
import { targetContainerPort } from "../policy/service-target.ts";
import type { TokenPayload } from "../policy/traffic.ts";
import type { Workload } from "../policy/workload.ts";
import { callerAddress, findCaller } from "./find-caller.ts";
import { findWorkload, workloadHint } from "./find-workload.ts";

export interface QuestionText {
  /** `NAMESPACE/WORKLOAD`, `spiffe://...` for a caller known by its certificate alone, or `outside`. */
  readonly from: string;
  /** The IP address that the connection comes from; absent: the caller's, if it is known. */
  readonly address?: string;
  /** `NAMESPACE/WORKLOAD:PORT`, or `NAMESPACE/SERVICE:PORT`. */
  readonly to: string;
  /** `METHOD PATH` */
  readonly request?: string;
  /** `NAME: VALUE` each; `Host` and `:authority` are the host. */
  readonly header?: readonly string[];
  /** As the client sends it in `Host` or `:authority`, with the port if it has one; absent: the usual one of the callee. */
  readonly host?: string;
  /** JSON: the payload of a token that the callee's sidecar has verified. */
  readonly claims?: string;
  /** Where the claims were read, for messages. */
  readonly claimsFile?: string;
}

const TARGET = /^([^/:\s]+\/[^/:\s]+)(?::([^/:\s]+))?$/;
/** RFC 9110 section 7.2: a name or an address, and a port. */
const HOST = /^(\[[0-9a-fA-F:.]+\]|[^\s/?#@:[\]]+)(:\d{1,5})?$/;
const REQUEST = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s+(\/\S*|\*)$/;
const HEADER = /^(:authority|[!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*(.*?)\s*$/;

/** @throws QuestionError naming what is wrong, and what is known */
export function parseQuestion(snapshot: MeshSnapshot, text: QuestionText): Question {
  const from = findCaller(snapshot, text.from);
  const request = parseRequest(text);
  const address = callerAddress(text.address);
  return {
    from,
    ...(address !== undefined && { address }),
    ...findCallee(snapshot, text.to),
    ...(request && { request }),
  };
}

const OUTSIDE =
  "; where calls of a workload to hosts outside the mesh go, hauberk describe says of that workload";

type Callee = Pick<Question, "to" | "containerPort" | "via">;

/** A number or a name; absent when the question names none. */
interface WantedPort {
  readonly port: string | undefined;
}

/**
 * A container port of the workload of that name counts before a port of the service of that name. Where both are one,
 * it is called by that service.
 */
function findCallee(snapshot: MeshSnapshot, text: string): Callee {
  const [, name = "", port] = TARGET.exec(text) ?? [];
  if (name === "")
    throw new QuestionError(`--to ${text}: expected NAMESPACE/WORKLOAD:PORT${OUTSIDE}`);
  const workload = findWorkload(snapshot, name);
  const selected = snapshot.services.find(
    ({ service: { meta } }) => `${meta.namespace}/${meta.name}` === name,
  );
  const named = portOfWorkload(workload, port);
  if (named !== undefined) return { ...named, ...viaServiceNamedSo(named, { selected, port }) };
  const behind = selected && portOfService(selected, { port, text });
  if (behind !== undefined) return behind;
  throw new QuestionError(
    `--to ${text}: ${whatIsKnown(snapshot, { name, workload, selected, port })}`,
  );
}

function portOfWorkload(
  workload: Workload | undefined,
  port: string | undefined,
): Callee | undefined {
  const found = onlyOrNamed(workload?.ports ?? [], {
    wanted: port,
    isCalled: ({ name, containerPort }, wanted) =>
      name === wanted || String(containerPort) === wanted,
  });
  if (workload === undefined || found === undefined) return undefined;
  return { to: workload, containerPort: found.containerPort };
}

/** The service's port that is called so too, where it leads to just this container port. */
function viaServiceNamedSo(
  { to, containerPort }: Callee,
  { selected, port }: { readonly selected: SelectedWorkloads | undefined } & WantedPort,
): Pick<Callee, "via"> {
  if (selected === undefined || !selected.workloads.includes(to)) return {};
  const found = servicePortCalled(selected.service, port);
  if (found === undefined) return {};
  const leadsThere = targetContainerPort(found, to)?.containerPort === containerPort;
  return leadsThere ? { via: nameOf(selected.service, found) } : {};
}

function servicePortCalled(
  { ports }: Service,
  wanted: string | undefined,
): ServicePort | undefined {
  return onlyOrNamed(ports, {
    wanted,
    isCalled: ({ name, port }, text) => name === text || String(port) === text,
  });
}

function nameOf({ meta }: Service, { port }: ServicePort): Callee["via"] & object {
  return { serviceNamespace: meta.namespace, serviceName: meta.name, servicePort: port };
}

function portOfService(
  { service, workloads }: SelectedWorkloads,
  { port, text }: WantedPort & { readonly text: string },
): Callee | undefined {
  const found = servicePortCalled(service, port);
  if (found === undefined) return undefined;
  for (const workload of workloads) {
    const target = targetContainerPort(found, workload);
    if (target === undefined) continue;
    return { to: workload, containerPort: target.containerPort, via: nameOf(service, found) };
  }
  throw new QuestionError(
    `--to ${text}: no workload stands behind port ${found.port} of Service ${service.meta.namespace}/${service.meta.name}`,
  );
}

/** The one that is called so; when none is wanted by name, the only one there is. */
function onlyOrNamed<T>(
  items: readonly T[],
  {
    wanted,
    isCalled,
  }: {
    readonly wanted: string | undefined;
    readonly isCalled: (item: T, wanted: string) => boolean;
  },
): T | undefined {
  if (wanted === undefined) return items.length === 1 ? items[0] : undefined;
  return items.find((item) => isCalled(item, wanted));
}

function whatIsKnown(
  snapshot: MeshSnapshot,
  {
    name,
    workload,
    selected,
    port,
  }: {
    /** `NAMESPACE/NAME` as asked. */
    readonly name: string;
    readonly workload: Workload | undefined;
    readonly selected: SelectedWorkloads | undefined;
  } & WantedPort,
): string {
  if (workload === undefined && selected === undefined) {
    const known = snapshot.services.map(
      ({ service: { meta } }) => `${meta.namespace}/${meta.name}`,
    );
    const more = known.length === 0 ? "" : `; services: ${list(known)}`;
    return `no such workload or service; ${workloadHint(snapshot, name, { known, more })}`;
  }
  const containerPorts = workload?.ports.map(({ containerPort }) => containerPort) ?? [];
  const servicePorts = selected?.service.ports.map((each) => each.port) ?? [];
  const known = [
    ...(workload ? [`container ports: ${list(containerPorts)}`] : []),
    ...(selected ? [`service ports: ${list(servicePorts)}`] : []),
  ].join("; ");
  return `${port === undefined ? "say which port is meant" : `no port ${port}`}; ${known}`;
}

function list(items: readonly (string | number)[]): string {
  return items.length === 0 ? "none" : items.join(", ");
}

function parseRequest({
  request,
  header = [],
  host,
  claims,
  claimsFile,
}: QuestionText): AskedRequest | undefined {
  if (request === undefined) {
    if (host !== undefined) throw new QuestionError("--host is of no use without --request");
    if (header.length > 0) throw new QuestionError("--header is of no use without --request");
    if (claims !== undefined) throw new QuestionError("--claims is of no use without --request");
    return undefined;
  }
  const [, method, path] = REQUEST.exec(request.trim()) ?? [];
  if (method === undefined || path === undefined) {
    throw new QuestionError(`--request ${request}: expected METHOD PATH, as in 'GET /cart'`);
  }
  const payload = claims === undefined ? undefined : parseClaims(claims, claimsFile);
  const headers = withHost(parseHeaders(header), host);
  return { method, path, headers, ...(payload && { payload }) };
}

function withHost(
  headers: ReadonlyMap<string, string>,
  host: string | undefined,
): ReadonlyMap<string, string> {
  if (host === undefined) return headers;
  if (!HOST.test(host))
    throw new QuestionError(`--host ${host}: expected HOST or HOST:PORT, as in shop.example.com`);
  const other = headers.get("host");
  if (other !== undefined && other !== host)
    throw new QuestionError(`--host ${host}: a --header says ${other}; expected one of them`);
  return new Map(headers).set("host", host);
}

function parseClaims(text: string, file = "-"): TokenPayload {
  const payload = readJson(text);
  if (isTokenPayload(payload)) return payload;
  throw new QuestionError(`--claims ${file}: expected a JSON object, the payload of a token`);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isTokenPayload(value: unknown): value is TokenPayload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseHeaders(lines: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, written, value] = HEADER.exec(line) ?? [];
    if (written === undefined || value === undefined) {
      throw new QuestionError(`--header ${line}: expected NAME: VALUE`);
    }
    const name = written === ":authority" ? "host" : written.toLowerCase();
    const earlier = headers.get(name);
    headers.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return headers;
}
