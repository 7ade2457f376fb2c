/** A sidecar that asks external authorizers, and an application behind it that tells what it has seen. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import type { AuthorizationRule } from "../../src/api/authorization-policy.ts";
import type {
  AppliedAuthorizer,
  AppliedGrpcAuthorizer,
  AppliedHttpAuthorizer,
} from "../../src/policy/applied-authorizers.ts";
import type {
  AppliedPolicy,
  AppliedTokenRule,
  WorkloadView,
} from "../../src/policy/workload-view.ts";
import { freePort } from "./free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  portOf,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "./sidecar-fixture.ts";
import { createThrowawayAuthority } from "./throwaway-authority.ts";

const mesh = createThrowawayAuthority();
const api = mesh.svid(idOf("api"));

const usable = {
  host: "opa.production.svc.cluster.local",
  port: 8080,
  namespace: "production",
  timeoutMs: 5_000,
  failOpen: false,
  statusOnError: 403,
  clearRouteCache: false,
} as const;

export function grpc(
  name: string,
  changes: Partial<AppliedGrpcAuthorizer> = {},
): AppliedGrpcAuthorizer {
  return { ...usable, name, kind: "grpc", host: hostOf(name), ...changes };
}

export function http(
  name: string,
  changes: Partial<AppliedHttpAuthorizer> = {},
): AppliedHttpAuthorizer {
  return {
    ...usable,
    name,
    kind: "http",
    host: hostOf(name),
    pathPrefix: "",
    requestHeaders: [],
    additionalHeaders: {},
    headersToUpstreamOnAllow: [],
    headersToDownstreamOnDeny: [],
    headersToDownstreamOnAllow: [],
    ...changes,
  };
}

export function hostOf(name: string): string {
  return `${name}.production.svc.cluster.local`;
}

/** Of requests below `/api/`. */
export function custom(
  provider: string,
  changes: Partial<AppliedPolicy> = {},
  rule: Partial<AuthorizationRule> = { to: [{ paths: ["/api/*"] }] },
): AppliedPolicy {
  return { ...policy("DENY", `ask-${provider}`, rule), action: "CUSTOM", provider, ...changes };
}

/** A sidecar in front of a program at `port`, which lets the sidecar of `api` in. @returns where it listens */
export async function behindSidecar(name: string, port: number): Promise<number> {
  const listen = await freePort();
  const inbound = inboundPort({ listen, application: port, protocol: "http2", mode: "STRICT" });
  const asker = "cluster.local/ns/production/sa/api";
  const view = workloadView({
    name,
    rootsPem: [mesh.rootPem],
    ports: [inbound],
    policies: [policy("ALLOW", "asker", { from: [{ principals: [asker] }] })],
  });
  others.push(await startTestSidecar({ view, svid: mesh.svid(idOf(name)) }));
  return listen;
}

/** A sidecar whose application calls a stage by mutual TLS. @returns where the application finds it */
export async function callerOf(one: Pick<Stage, "port">): Promise<Pick<Stage, "port">> {
  const listen = await freePort();
  const api = destination({ name: "api", port: one.port, listen });
  const view = workloadView({ name: "web", rootsPem: [mesh.rootPem], destinations: [api] });
  others.push(await startTestSidecar({ view, svid: mesh.svid(idOf("web")) }));
  return { port: listen };
}

export interface StageOptions {
  readonly authorizers: readonly AppliedAuthorizer[];
  /** By provider: where it listens. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly policies?: readonly AppliedPolicy[];
  readonly protocol?: "http" | "tcp";
  /** With the authorizers. */
  readonly mutualTls?: boolean;
  readonly tokenRules?: readonly AppliedTokenRule[];
  /** Port of another application. */
  readonly application?: number;
}

export interface Stage extends TestSidecar {
  readonly port: number;
  readonly reached: () => number;
  readonly view: (options: StageOptions) => WorkloadView;
}

const stages: (Stage & { readonly application: Server })[] = [];

const others: TestSidecar[] = [];

/** To be called after all tests of a file. */
export async function closeStages(): Promise<void> {
  for (const { application } of stages) application.closeAllConnections();
  await Promise.all([...stages, ...others].map(({ sidecar }) => sidecar.close()));
}

export async function stage(options: StageOptions): Promise<Stage> {
  let reached = 0;
  const application = createServer(async (incoming, response) => {
    reached++;
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { url, headers, rawTrailers: trailers } = incoming;
    response.setHeader("x-application", "1");
    response.end(
      JSON.stringify({ url, headers, trailers, body: Buffer.concat(chunks).toString() }),
    );
  });
  application.listen(0, LOOPBACK).unref();
  await once(application, "listening");
  const port = await freePort();
  const view: Stage["view"] = (changes) => {
    const { authorizers, ports = {}, policies, protocol = "http" } = { ...options, ...changes };
    const settings = {
      listen: port,
      application: options.application ?? portOf(application),
      mode: "PERMISSIVE",
    } as const;
    const made = workloadView({
      rootsPem: [mesh.rootPem],
      ports: [inboundPort({ ...settings, protocol })],
      ...(options.tokenRules && { tokenRules: options.tokenRules }),
      policies: policies ?? authorizers.map(({ name }) => custom(name)),
      destinations: Object.entries(ports).map(([name, bound]) =>
        destination({ name, port: bound, mutualTls: options.mutualTls ?? false }),
      ),
    });
    return { ...made, inbound: { ...made.inbound, authorizers } };
  };
  const started = await startTestSidecar({ view: view(options), svid: api });
  const all = { ...started, application, port, view, reached: () => reached };
  stages.push(all);
  return all;
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly seen: () => { url: string; headers: IncomingHttpHeaders; body: string };
}

export interface Call {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer;
}

export async function call(
  { port }: Pick<Stage, "port">,
  { path = "/api/x", method = "GET", headers = {}, body }: Call = {},
): Promise<Reply> {
  const outgoing = request({ host: LOOPBACK, port, path, method, headers, agent: false });
  outgoing.end(body);
  const [answer] = await once(outgoing, "response");
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  return { status: answer.statusCode, headers: answer.headers, text, seen: () => JSON.parse(text) };
}
