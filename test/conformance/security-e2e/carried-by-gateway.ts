/**
 * Cases of clients outside the mesh: sent by real connections to a real gateway, which has the view that the resources of
 * the case make, and from there to real sidecars of the services that its routes name.
 */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { buildWorkloadView } from "../../../src/policy/build-workload-view.ts";
import type { GatewayListener } from "../../../src/policy/gateway-view.ts";
import type { MeshSnapshot } from "../../../src/policy/mesh-snapshot.ts";
import type { Workload } from "../../../src/policy/workload.ts";
import type { Destination, WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../../kit/free-port.ts";
import { inboundPort, LOOPBACK, portOf, workloadView } from "../../kit/sidecar-fixture.ts";
import {
  createThrowawayAuthority,
  type ThrowawayAuthority,
} from "../../kit/throwaway-authority.ts";
import type { CarriedRequest } from "./carried-requests.ts";
import { type RunningProxy, type StartProxy, startEmbedded } from "./data-planes.ts";
import type { E2eCase } from "./e2e-case.ts";
import type { CaseMesh } from "./hops-of-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import type { RenderedPolicy } from "./rendered-policies.ts";
import { withTokens } from "./token-fixtures.ts";

/** The connection came to nothing. */
export interface NoConnection {
  readonly came: "no connection";
  /** In the words of Go, as upstream's client has them. */
  readonly error: string;
}

const INGRESS = { ns: "istio-system", workload: "istio-ingressgateway" } as const;

export async function carriedByGateway(
  test: E2eCase,
  {
    mesh,
    folder,
    tokenKeys,
    startProxy = startEmbedded,
  }: {
    readonly mesh: CaseMesh;
    readonly folder: string;
    readonly tokenKeys: ReadonlyMap<string, string>;
    readonly startProxy?: StartProxy;
  },
): Promise<CarriedRequest | NoConnection> {
  const snapshot = { ...mesh.snapshot, tokenKeys };
  const workload = gatewayOf(test, snapshot);
  const stage = new GatewayStage(snapshot, startProxy);
  try {
    const view = buildWorkloadView(snapshot, workload);
    const listener = listenerFor(test, view);
    const outcome = await stage.send(view, {
      listener,
      connect: (port) => connectionOf(test, { port, folder }),
      request: requestOf(test, mesh),
    });
    return outcome;
  } finally {
    await stage.close();
  }
}

function gatewayOf({ from }: E2eCase, { workloads }: MeshSnapshot): Workload {
  const { ns = INGRESS.ns, workload: name = INGRESS.workload } = from;
  const found = workloads.find(({ namespace, owner }) => namespace === ns && owner === name);
  if (found === undefined) throw new NotUnderstood(`gateway ${ns}/${name}`);
  return found;
}

function listenerFor({ to }: E2eCase, { gateway }: WorkloadView): GatewayListener {
  const { servicePort } = to.port;
  const found = gateway?.listeners.find(({ port }) => port === servicePort);
  if (found === undefined) throw new NotUnderstood(`nothing listens on port ${servicePort}`);
  return found;
}

interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

function requestOf({ to }: E2eCase, { fixtures }: CaseMesh): SentRequest {
  const headers = Object.entries(to.headers ?? {}).map(
    ([name, value]) => [name.toLowerCase(), withTokens(value, fixtures)] as const,
  );
  return {
    method: to.method ?? "GET",
    path: withTokens(to.path ?? "/", fixtures),
    headers: Object.fromEntries(headers),
  };
}

/** One gateway, and the sidecars behind it. */
class GatewayStage {
  readonly #snapshot: MeshSnapshot;
  readonly #startProxy: StartProxy;
  readonly #authority: ThrowawayAuthority;
  readonly #closing: (() => Promise<void> | void)[] = [];
  #heard: IncomingHttpHeaders | undefined;

  constructor(snapshot: MeshSnapshot, startProxy: StartProxy) {
    this.#snapshot = snapshot;
    this.#startProxy = startProxy;
    const { trustDomain } = snapshot.settings;
    this.#authority = createThrowawayAuthority({ trustDomain });
  }

  async send(
    view: WorkloadView,
    {
      listener,
      connect: connected,
      request: sent,
    }: {
      readonly listener: GatewayListener;
      readonly connect: (port: number) => Promise<Socket>;
      readonly request: SentRequest;
    },
  ): Promise<CarriedRequest | NoConnection> {
    const port = await freePort();
    const gateway = await this.#start(
      {
        ...view,
        outbound: { ...view.outbound, destinations: await this.#served(view) },
        gateway: { listeners: [{ ...listener, listen: { address: LOOPBACK, port } }] },
      },
      view,
    );
    try {
      const socket = await connected(port);
      const told = await answerTo(sent, socket);
      const heard = this.#heard;
      const mtls = "getCertificate" in socket && hasOwnCertificate(socket);
      return { came: "carried", ...told, hops: 2, mtls, ...(heard && { heard }) };
    } catch (error) {
      return { came: "no connection", error: inGo(error, await gateway.refusal()) };
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }

  /** Those that routes name lead to sidecars that are there; others are nobody's here. */
  async #served({ gateway, outbound }: WorkloadView): Promise<readonly Destination[]> {
    const text = JSON.stringify(gateway);
    const named = outbound.destinations.filter(({ host }) => text.includes(JSON.stringify(host)));
    const ports = new Map<string, number>();
    const served: Destination[] = [];
    for (const destination of named) {
      const endpoints = [];
      for (const endpoint of destination.endpoints.slice(0, 1)) {
        const key = `${destination.serviceNamespace}/${endpoint.workload} ${endpoint.address.port}`;
        const port = ports.get(key) ?? (await this.#callee(destination, endpoint));
        ports.set(key, port);
        endpoints.push({ ...endpoint, address: { address: LOOPBACK, port } });
      }
      // The application here speaks HTTP/1.
      const protocol = destination.protocol === "http2" ? "http" : destination.protocol;
      served.push({ ...destination, protocol, endpoints });
    }
    return served;
  }

  /** @returns where it listens */
  async #callee(
    { serviceNamespace }: Destination,
    { workload: name, address }: Destination["endpoints"][number],
  ): Promise<number> {
    const application = createServer((incoming, response) => {
      this.#heard = incoming.headers;
      response.end("ok");
    });
    application.listen(0, LOOPBACK);
    await once(application, "listening");
    this.#closing.push(() => {
      application.closeAllConnections();
      application.close();
    });
    const workload = this.#snapshot.workloads.find(
      (one) => one.namespace === serviceNamespace && one.name === name,
    );
    if (workload?.injected !== true) return portOf(application);
    const view = buildWorkloadView(this.#snapshot, workload);
    const declared = view.inbound.ports.find((one) => one.containerPort === address.port);
    const listen = await freePort();
    const ends = inboundPort({ listen, application: portOf(application) });
    const mutualTls = declared?.mutualTls ?? ends.mutualTls;
    const port = { ...ends, mutualTls, containerPort: address.port };
    await this.#start({ ...view, inbound: { ...view.inbound, ports: [port] } }, view);
    return listen;
  }

  async #start(
    { inbound, outbound, gateway }: WorkloadView,
    { workload, trust, proxyHeaders, gatewayTopology }: WorkloadView,
  ): Promise<RunningProxy> {
    const rootsPem = [this.#authority.rootPem];
    const view = {
      ...workloadView({ rootsPem }),
      workload,
      trust: { ...trust, rootsPem },
      inbound,
      outbound: gateway === undefined ? { destinations: [] } : outbound,
      ...(gateway && { gateway }),
      ...(proxyHeaders && { proxyHeaders }),
      ...(gatewayTopology && { gatewayTopology }),
    };
    const svid = this.#authority.svid(workload.identity);
    const started = await this.#startProxy({ view, svid });
    this.#closing.push(() => started.close());
    return started;
  }
}

type Certificates = Readonly<Record<string, string>>;

export function certificateFixtures(folder: string): Certificates {
  return JSON.parse(readFileSync(join(folder, "fixtures/ingress-certs.json"), "utf8"));
}

/** Of what is no fixture the text itself counts, as of a certificate that is none. */
export function gatewaySecrets({ setup }: E2eCase, folder: string): readonly RenderedPolicy[] {
  const given = Object.entries(setup?.secretsInGatewayNamespace ?? {});
  if (given.length === 0) return [];
  const fixtures = certificateFixtures(folder);
  return given.map(([name, data]) => {
    const values = Object.entries(data).map(([key, value]) => [key, fixtures[value] ?? value]);
    const stringData = Object.fromEntries(values);
    const metadata = { name, namespace: INGRESS.ns };
    return { apiVersion: "v1", kind: "Secret", metadata, stringData };
  });
}

async function connectionOf(
  { from, to }: E2eCase,
  { port, folder }: { readonly port: number; readonly folder: string },
): Promise<Socket> {
  if (from.tls === undefined) return connect({ host: LOOPBACK, port });
  const fixtures = certificateFixtures(folder);
  const [cert, key] = (from.clientCertificate ?? "").split("/").map((name) => fixtures[name]);
  const socket = connectTls({
    host: LOOPBACK,
    port,
    servername: String(to["sni"] ?? to.headers?.["Host"]),
    ca: fixtures[String(from["trusts"])],
    ...(cert !== undefined && key !== undefined && { cert, key }),
  });
  await once(socket, "secureConnect");
  return socket;
}

function hasOwnCertificate(socket: object): boolean {
  if (!("getCertificate" in socket) || typeof socket.getCertificate !== "function") return false;
  const own: unknown = socket.getCertificate();
  return typeof own === "object" && own !== null && Object.keys(own).length > 0;
}

async function answerTo(
  { method, path, headers }: SentRequest,
  socket: Socket,
): Promise<{ readonly status: number; readonly body: string }> {
  const outgoing = request({
    method,
    path,
    headers: { ...headers, connection: "close" },
    createConnection: () => socket,
  });
  outgoing.end();
  const [answer] = await once(outgoing, "response");
  let body = "";
  for await (const chunk of answer) body += chunk;
  return { status: answer.statusCode, body };
}

/** A client of Go names what a server's alert says, or what it has itself against the server. */
function inGo(error: unknown, problem: string): string {
  const text = `${error instanceof Error && "code" in error ? error.code : ""} ${error}`;
  if (/VERIFY_LEAF|SELF_SIGNED|ISSUER_CERT|CERT_SIGNATURE/.test(text))
    return "x509: certificate signed by unknown authority";
  if (/REVOKED/.test(problem)) return "remote error: tls: revoked certificate";
  if (/is not trusted/.test(problem)) return "remote error: tls: unknown certificate authority";
  if (/no certificate was presented/.test(problem))
    return "remote error: tls: certificate required";
  return "EOF";
}
