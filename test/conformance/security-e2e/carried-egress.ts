/**
 * Cases about what leaves the mesh: carried by real sidecars, with the views of their workloads, through a real gateway
 * where one is on the way, to a real server.
 */
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type IncomingHttpHeaders, request } from "node:http";
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { buildWorkloadView, identityOf } from "../../../src/policy/build-workload-view.ts";
import type { Workload } from "../../../src/policy/workload.ts";
import type { Destination, WorkloadView } from "../../../src/policy/workload-view.ts";
import { eventually } from "../../kit/eventually.ts";
import { freePort } from "../../kit/free-port.ts";
import {
  inboundPort,
  LOOPBACK,
  PROXY_PASSWORD,
  portOf,
  startTestSidecar,
} from "../../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";
import type { CarriedRequest } from "./carried-requests.ts";
import type { E2eCase } from "./e2e-case.ts";
import { upstreamCertificates } from "./egress-resources.ts";
import type { CaseMesh } from "./hops-of-case.ts";
import { NotUnderstood } from "./not-understood.ts";
import { section } from "./rendered-policies.ts";
import { withTokens } from "./token-fixtures.ts";

const GATEWAY = "istio-egressgateway";
const GATEWAY_HOST = `${GATEWAY}.istio-system.svc.cluster.local`;
const SERVER_CERTIFICATES = "tests/testdata/certs/dns";

export interface EgressCase extends CaseMesh {
  readonly folder: string;
  readonly tokenKeys: ReadonlyMap<string, string>;
  /** Where certificates of pods are mounted. */
  readonly mounted: string;
}

/** @throws NotUnderstood */
export async function carryEgress(test: E2eCase, mesh: EgressCase): Promise<CarriedRequest> {
  const ground = new EgressGround(test, mesh);
  try {
    return await ground.carry();
  } finally {
    await ground.close();
  }
}

interface Callee {
  readonly port: number;
  readonly heard: IncomingHttpHeaders[];
  readonly subjects: string[];
}

class EgressGround {
  readonly #test: E2eCase;
  readonly #mesh: EgressCase;
  readonly #authority = createThrowawayAuthority();
  readonly #closing: (() => unknown)[] = [];

  constructor(test: E2eCase, mesh: EgressCase) {
    this.#test = test;
    this.#mesh = mesh;
  }

  async carry(): Promise<CarriedRequest> {
    const { from, to } = this.#test;
    const callee = await this.#callee();
    const client = this.#workload(from.ns, from.workload);
    const throughGateway = to.via !== undefined;
    const places = throughGateway ? await this.#gateway(callee) : () => callee.port;
    const httpProxy = await freePort();
    const view = this.#view(client, places);
    await this.#start({
      ...view,
      outbound: { ...view.outbound, httpProxy: { address: LOOPBACK, port: httpProxy } },
    });
    const ask = () => this.#ask(client, httpProxy);
    const { status, body, headers } = await this.#rotated(ask, callee);
    const [heard] = callee.heard;
    const [clientSubject] = callee.subjects;
    return {
      came: "carried",
      status,
      body,
      headers,
      hops: throughGateway ? 2 : 1,
      ...(heard && status === 200 && { heard }),
      ...(clientSubject !== undefined && { clientSubject }),
    };
  }

  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close();
  }

  /** Certificates that change while the case runs, in upstream's words; what comes of it is awaited as upstream does. */
  async #rotated(ask: () => Promise<Reply>, callee: Callee): Promise<Reply> {
    const told = this.#test.setup?.["clientSecret"];
    const first = await ask();
    if (told === undefined || /^original cert set$/.test(String(told))) return first;
    if (first.status !== 200) throw new Error(`before the rotation: ${first.status} ${first.body}`);
    const others = createThrowawayAuthority();
    const { certificateChainPem, privateKeyPem } = others.serverCertificate();
    await this.#mount(certificateChainPem, privateKeyPem, others.rootPem);
    const refused = await until(ask, 503);
    if (/set B/.test(String(told))) return refused;
    if (!/written back/.test(String(told))) throw new NotUnderstood(`setup.clientSecret ${told}`);
    const own = upstreamCertificates(this.#mesh.folder);
    const part = (name: string): string => own[`${SERVER_CERTIFICATES}/${name}`] ?? "";
    await this.#mount(part("cert-chain.pem"), part("key.pem"), part("root-cert.pem"));
    callee.heard.length = 0;
    return until(ask, 200);
  }

  async #mount(certificate: string, key: string, root: string): Promise<void> {
    const { mounted } = this.#mesh;
    await writeFile(join(mounted, "cert-chain.pem"), certificate);
    await writeFile(join(mounted, "key.pem"), key);
    await writeFile(join(mounted, "root-cert.pem"), root);
  }

  /** @returns where the client finds it, by the service port */
  async #gateway(callee: Callee): Promise<(destination: Destination) => number | undefined> {
    const gateway = { ...this.#workload("istio-system", GATEWAY), gateway: true } as const;
    const view = this.#view(gateway, () => callee.port);
    const listeners = await Promise.all(
      (view.gateway?.listeners ?? []).map(async (listener) => ({
        ...listener,
        listen: { address: LOOPBACK, port: await freePort() },
      })),
    );
    await this.#start({ ...view, gateway: { ...view.gateway, listeners } });
    return ({ host, servicePort }) =>
      host === GATEWAY_HOST
        ? listeners.find(({ port }) => port === servicePort)?.listen.port
        : undefined;
  }

  async #start(view: WorkloadView): Promise<void> {
    const svid = this.#authority.svid(view.workload.identity);
    const { sidecar } = await startTestSidecar({ view, svid });
    this.#closing.push(() => sidecar.close());
  }

  #view(
    workload: Workload,
    portOfDestination: (destination: Destination) => number | undefined,
  ): WorkloadView {
    const { snapshot, tokenKeys } = this.#mesh;
    const view = buildWorkloadView({ ...snapshot, tokenKeys }, workload);
    const placed = <D extends Destination>(destination: D): D =>
      withPlace(destination, portOfDestination(destination));
    const { destinations, subsets } = view.outbound;
    return {
      ...view,
      trust: { ...view.trust, rootsPem: [this.#authority.rootPem] },
      inbound: { ...view.inbound, ports: [] },
      outbound: {
        ...view.outbound,
        destinations: destinations.map(placed),
        ...(subsets && { subsets: subsets.map(placed) }),
      },
    };
  }

  /** Where the request is to arrive: a workload with a sidecar, or a server with TLS of its own. */
  async #callee(): Promise<Callee> {
    const { to } = this.#test;
    const application = await this.#server();
    if (to.finalDestination === undefined) return application;
    const { ns, workload } = to.finalDestination;
    const called = this.#workload(ns, workload);
    const { snapshot } = this.#mesh;
    const port = await freePort();
    const view = buildWorkloadView(snapshot, called);
    const ends = inboundPort({ listen: port, application: application.port, mode: "PERMISSIVE" });
    await this.#start({
      ...view,
      workload: {
        ...view.workload,
        identity: identityOf(called, snapshot.settings.trustDomain),
      },
      trust: { ...view.trust, rootsPem: [this.#authority.rootPem] },
      inbound: { ...view.inbound, ports: [ends] },
      outbound: { ...view.outbound, destinations: [] },
    });
    return { ...application, port };
  }

  /** It takes TLS and plaintext; where TLS is meant, plaintext gets what servers of TLS say to it. */
  async #server(): Promise<Callee> {
    const { finalDestination } = this.#test.to;
    const heard: IncomingHttpHeaders[] = [];
    const subjects: string[] = [];
    const own = upstreamCertificates(this.#mesh.folder);
    const part = (name: string): string => own[`${SERVER_CERTIFICATES}/${name}`] ?? "";
    const tls = createSecureServer({
      allowHTTP1: true,
      cert: part("cert-chain.pem"),
      key: part("key.pem"),
      ca: part("root-cert.pem"),
      ...(this.#isMutual && { requestCert: true, rejectUnauthorized: true }),
    });
    tls.on("request", ({ headers, socket }: Http2ServerRequest, response: Http2ServerResponse) => {
      const peer = (socket as TLSSocket).getPeerX509Certificate?.call(socket);
      if (peer !== undefined) subjects.push(peer.subject);
      heard.push(headers);
      response.end(JSON.stringify(headers));
    });
    tls.on("tlsClientError", () => {});
    const plain = await import("node:http").then(({ createServer: make }) =>
      make(({ headers }, response) => {
        heard.push(headers);
        response.end(JSON.stringify(headers));
      }),
    );
    const server = createServer((socket) => {
      socket.on("error", () => socket.destroy());
      firstByte(socket, (byte) => {
        if (byte === TLS_HANDSHAKE) tls.emit("connection", socket);
        else if (finalDestination !== undefined) plain.emit("connection", socket);
        else socket.end("HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nplaintext\n");
      });
    });
    await listening(server);
    const sockets = new Set<Socket>();
    server.on("connection", (socket) => sockets.add(socket));
    this.#closing.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    return { port: portOf(server), heard, subjects };
  }

  get #isMutual(): boolean {
    const { policies } = this.#mesh;
    return policies.some(({ kind, spec }) => kind === "DestinationRule" && hasMutual(spec));
  }

  #workload(namespace: string, owner: string): Workload {
    const found = this.#mesh.snapshot.workloads.find(
      (one) => one.namespace === namespace && one.owner === owner,
    );
    if (found === undefined) throw new NotUnderstood(`workload ${namespace}/${owner}`);
    return found;
  }

  async #ask({ name }: Workload, proxy: number): Promise<Reply> {
    const { to } = this.#test;
    const { fixtures, topology } = this.#mesh;
    const headers = Object.fromEntries(
      Object.entries(to.headers ?? {}).map(([field, value]) => [
        field.toLowerCase(),
        withTokens(value, fixtures),
      ]),
    );
    const host = headers["host"] ?? `${to.workload}.${to.ns}.svc.cluster.local`;
    const service = topology.services.find(
      (one) => one.namespace === to.ns && one.name === to.workload,
    );
    const named = service?.ports.find((port) => port.name === to.port.name);
    const port = to.port.servicePort ?? named?.servicePort ?? 80;
    const credentials = Buffer.from(`${name}:${PROXY_PASSWORD}`).toString("base64");
    const toProxy = { "proxy-authorization": `Basic ${credentials}` };
    const authority = port === 80 ? host : `${host}:${port}`;
    const target = { host: LOOPBACK, port: proxy, agent: false } as const;
    if (to.port.name === "tcp") return this.#askTunnel(authority, { target, toProxy });
    const outgoing = request({
      ...target,
      method: to.method ?? "GET",
      path: `http://${authority}${to.path ?? "/"}`,
      headers: { ...headers, host: authority, ...toProxy },
    });
    return replyTo(outgoing);
  }

  /** As a client that speaks TCP: in a tunnel, whose bytes the sidecar takes as they come. */
  async #askTunnel(
    authority: string,
    {
      target,
      toProxy,
    }: {
      readonly target: { readonly host: string; readonly port: number };
      readonly toProxy: Readonly<Record<string, string>>;
    },
  ): Promise<Reply> {
    const connecting = request({ ...target, method: "CONNECT", path: authority, headers: toProxy });
    connecting.end();
    const [opened, socket] = await once(connecting, "connect");
    if (opened.statusCode !== 200)
      return { status: opened.statusCode, headers: opened.headers, body: "" };
    return replyTo(
      request({ path: "/", headers: { host: authority }, createConnection: () => socket }),
    );
  }
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const TLS_HANDSHAKE = 22;

async function replyTo(outgoing: ReturnType<typeof request>): Promise<Reply> {
  outgoing.end();
  try {
    const [answer] = await once(outgoing, "response");
    let body = "";
    for await (const chunk of answer) body += chunk;
    return { status: answer.statusCode, headers: answer.headers, body };
  } catch (error) {
    return { status: 0, headers: {}, body: String(error) };
  }
}

function until(ask: () => Promise<Reply>, status: number): Promise<Reply> {
  return eventually(`status ${status}`, async () => {
    const reply = await ask();
    return reply.status === status ? reply : undefined;
  });
}

function firstByte(socket: Socket, told: (byte: number | undefined) => void): void {
  socket.once("readable", () => {
    const chunk: Buffer | null = socket.read();
    if (chunk !== null) socket.unshift(chunk);
    told(chunk?.[0]);
  });
}

/** With one endpoint on loopback, called as the first of its own would be. */
function withPlace<D extends Destination>(destination: D, port: number | undefined): D {
  if (port === undefined) return destination;
  const { endpoints, serviceEntry } = destination;
  const { lookUp, ...terms } = serviceEntry ?? {};
  const [first] = [...endpoints, ...(lookUp ?? [])];
  const address = { address: LOOPBACK, port };
  const placed = { workload: "callee", address, mutualTls: first?.mutualTls ?? false };
  return {
    ...destination,
    endpoints: [placed],
    ...(serviceEntry && { serviceEntry: terms }),
  };
}

function hasMutual(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { mode } = section(value);
  return mode === "MUTUAL" || Object.values(value).some(hasMutual);
}

async function listening(server: Server): Promise<void> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
}
