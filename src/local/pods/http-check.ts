/**
 * A probe or a hook over HTTP, as a kubelet and Istio's agent make it: redirects within the pod are followed, and one that leads
 * elsewhere is as good as an answer.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/probes/#probe-check-methods
 */
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { HttpGetAction, SentHeader } from "../../api/handler-actions.ts";
import type { SocketAddress } from "../../policy/workload.ts";
import type { ProbedPlace } from "./probed-place.ts";

/** Some applications keep probes out of their logs by the first half. */
export const PROBE_USER_AGENT = "kube-probe/hauberk";
const HOOK_USER_AGENT = "kube-lifecycle/hauberk";

const MAX_REQUESTS = 10;
/** What is read of an answer; where it breaks off before, the probe has failed. */
const MAX_BODY_BYTES = 10 * 1024;
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];
const DEFAULT_PORTS = { "http:": 80, "https:": 443 } as const;
/** Of a body, which a probe never has. */
const FRAMING = ["content-length", "transfer-encoding", "trailer"];

interface Target {
  readonly protocol: keyof typeof DEFAULT_PORTS;
  readonly address: SocketAddress;
  readonly path: string;
  readonly headers: readonly SentHeader[];
  readonly userAgent: string;
}

interface HttpCheckOptions {
  readonly place: ProbedPlace;
  readonly address: SocketAddress;
  readonly signal: AbortSignal;
}

/** 200 to 399 is well; @throws Error for anything else */
export async function checkHttp(get: HttpGetAction, options: HttpCheckOptions): Promise<void> {
  const { status } = await follow(get, { ...options, userAgent: PROBE_USER_AGENT });
  if (status < 200 || status >= 400) throw new Error(`status ${status}`);
}

/** Any answer is well: a hook only tells. @throws Error where there is none */
export async function tellHttp(get: HttpGetAction, options: HttpCheckOptions): Promise<void> {
  await follow(get, { ...options, userAgent: HOOK_USER_AGENT });
}

async function follow(
  { scheme, path, headers }: HttpGetAction,
  { place, address, signal, userAgent }: HttpCheckOptions & Pick<Target, "userAgent">,
): Promise<Answer> {
  const protocol = scheme === "HTTPS" ? "https:" : "http:";
  let target: Target = { protocol, address, path, headers, userAgent };
  for (let request = 0; request < MAX_REQUESTS; request++) {
    const answer = await ask(target, { place, signal });
    const { status, location } = answer;
    if (location === undefined || !REDIRECTS.includes(status)) return answer;
    const next = redirected(target, { location, place });
    if (next === undefined) return answer;
    target = next;
  }
  throw new Error(`stopped after ${MAX_REQUESTS} redirects`);
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
}

async function ask(
  target: Target,
  { place, signal }: Pick<HttpCheckOptions, "place" | "signal">,
): Promise<Answer> {
  const socket = place.connect(target.address);
  socket.on("error", () => undefined); // heard by whoever waits
  try {
    await once(socket, "connect", { signal });
    return await askOver(socket, target, signal);
  } finally {
    socket.destroy();
  }
}

async function askOver(
  socket: Socket,
  { protocol, address, path, headers, userAgent }: Target,
  signal: AbortSignal,
): Promise<Answer> {
  const request = get({
    host: address.address,
    port: address.port,
    defaultPort: DEFAULT_PORTS[protocol],
    // Not asked for where there is an agent.
    createConnection: () =>
      protocol === "https:" ? connectTls({ socket, rejectUnauthorized: false }) : socket,
    path,
    headers: sentHeaders(headers, userAgent),
    signal,
  });
  request.on("error", () => undefined); // heard by `once`, or cut off with the answer
  const [response] = (await once(request, "response", { signal })) as [IncomingMessage];
  await readSome(response);
  return { status: response.statusCode ?? 0, location: response.headers.location };
}

/** As much as anybody looks at; what is left is cut off. */
async function readSome(response: IncomingMessage): Promise<void> {
  let length = 0;
  for await (const part of response) {
    length += part.length;
    if (length >= MAX_BODY_BYTES) break;
  }
}

/** Each name as it was written first, with all its values; of several hosts the first. */
function sentHeaders(
  headers: readonly SentHeader[],
  userAgent: string,
): Record<string, string | string[]> {
  const byName = new Map<string, { readonly name: string; readonly values: string[] }>();
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    if (FRAMING.includes(key)) continue;
    const known = byName.get(key) ?? { name, values: [] };
    known.values.push(value);
    byName.set(key, known);
  }
  const sent = [...byName].map(([key, { name, values }]) =>
    key === "host" || values.length === 1 ? [name, values[0]] : [name, values],
  );
  const defaults = { "User-Agent": userAgent, Accept: "*/*" };
  const added = Object.entries(defaults).filter(([name]) => !byName.has(name.toLowerCase()));
  return Object.fromEntries([...sent, ...added]);
}

/**
 * @returns undefined where it leads out of the pod, by name or address: nobody is asked there
 * @throws Error for what cannot be followed
 */
function redirected(
  { protocol, address, path, headers, userAgent }: Target,
  { location, place }: { readonly location: string; readonly place: ProbedPlace },
): Target | undefined {
  const base = new URL(`${protocol}//${address.address}:${address.port}${path}`);
  if (!URL.canParse(location, base.href)) throw new Error("it redirects to what is no URL");
  const url = new URL(location, base);
  if (url.hostname !== base.hostname) return undefined;
  const next = url.protocol === "http:" || url.protocol === "https:" ? url.protocol : undefined;
  if (next === undefined) throw new Error(`it redirects to ${url.protocol}`);
  const port = Number(url.port) || DEFAULT_PORTS[next];
  const there = port === address.port ? address : place.redirected(port);
  if (there === undefined) throw new Error(`it redirects to port ${port}, which is not the pod's`);
  return {
    protocol: next,
    address: there,
    path: url.pathname + url.search,
    headers: URL.canParse(location) ? headers.filter(isNoHost) : headers,
    userAgent,
  };
}

/** A host of the probe's own is not asked for at a place that the application named in full. */
function isNoHost({ name }: SentHeader): boolean {
  return name.toLowerCase() !== "host";
}
