/** A gateway for tests, over real sockets: servers and routes by hand, certificates of nobody's mesh, clients that say what they got. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, request as requestHttp } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { request as requestHttps } from "node:https";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type {
  ClientTrust,
  GatewayServer,
  GatewayTls,
  GatewayView,
} from "../../src/policy/gateway-view.ts";
import type { HttpRoute, VirtualHost } from "../../src/policy/routes/virtual-host.ts";
import type { WorkloadView } from "../../src/policy/workload-view.ts";
import { type BuiltCertificate, buildCertificate } from "./certificate-builder.ts";
import { freePort } from "./free-port.ts";
import {
  destination,
  idOf,
  LOOPBACK,
  portOf,
  type TestSidecar,
  type ViewOptions,
  workloadView,
} from "./sidecar-fixture.ts";
import type { sidecarGround } from "./sidecar-ground.ts";

export const ORIGIN = {
  ref: { kind: "Gateway", namespace: "istio-ingress", name: "front" },
  source: { file: "front.yaml", line: 1 },
};
export const WEB = { host: "web.production.svc.cluster.local", port: 8080, weight: 1 } as const;

export const clientAuthority: BuiltCertificate = buildCertificate({
  subject: { organization: "Partners", commonName: "CA" },
});

export function clientCertificate(
  name: string,
  issuer: BuiltCertificate = clientAuthority,
): BuiltCertificate {
  return buildCertificate({
    subject: { organization: "Acme", commonName: name },
    issuer,
    authority: false,
    usage: ["digitalSignature"],
    dnsNames: [`${name}.acme.example`],
    uris: [`spiffe://acme.example/${name}`],
  });
}

export function serverCertificate(host: string): BuiltCertificate {
  return buildCertificate({
    subject: { commonName: host },
    authority: false,
    usage: ["digitalSignature"],
    dnsNames: [host],
  });
}

export function trustIn(authority: BuiltCertificate, more: Partial<ClientTrust> = {}): ClientTrust {
  return {
    authoritiesPem: authority.pem,
    subjectAltNames: [],
    certificateHashes: [],
    publicKeyHashes: [],
    ...more,
  };
}

export function tlsOf(
  mode: GatewayTls["mode"],
  certificate?: BuiltCertificate,
  more: Partial<GatewayTls> = {},
): GatewayTls {
  const certificates =
    certificate === undefined
      ? []
      : [{ origin: ORIGIN, chainPem: certificate.pem, keyPem: certificate.keyPem }];
  return {
    mode,
    certificates,
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    cipherSuites: [],
    ecdhCurves: [],
    ...more,
  };
}

export function routeTo(more: Partial<HttpRoute> = {}, action: object = {}): HttpRoute {
  return {
    origin: ORIGIN,
    match: {},
    action: { do: "forward", destinations: [WEB], unresolved: 503, ...action },
    ...more,
  };
}

export function httpServer(
  host: string,
  tls: GatewayTls | undefined,
  routes: readonly HttpRoute[] = [routeTo()],
): GatewayServer {
  const virtualHosts: readonly VirtualHost[] = [{ domains: [host], routes }];
  return {
    origins: [ORIGIN],
    serverNames: tls === undefined ? [] : [host],
    ...(tls && { tls }),
    traffic: { is: "http", virtualHosts },
  };
}

export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Asked {
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** TLS is spoken when there are any. */
  readonly tls?: ConnectionOptions;
  /** Sent as SNI; absent: `host`. */
  readonly serverName?: string;
}

export interface EdgeStage {
  readonly gateway: TestSidecar;
  readonly port: number;
  /** What reached the application. */
  readonly reached: readonly { readonly url: string; readonly headers: IncomingHttpHeaders }[];
  /** One request of HTTP/1.1 on a connection of its own. */
  ask(asked: Asked): Promise<Told>;
  /** Several of HTTP/2 on one connection, by path and authority. @returns their statuses */
  askAll(
    serverName: string,
    requests: readonly { readonly authority: string; readonly path?: string }[],
  ): Promise<readonly number[]>;
  serve(servers: readonly GatewayServer[]): void;
  /** Of the view in force. */
  change(change: (view: WorkloadView) => WorkloadView): void;
}

const MEANT_PORT = 443;
const CONTAINER_PORT = 8443;

/** @param answer of the application; absent: 200 and "reached" */
export async function edgeStage(
  ground: ReturnType<typeof sidecarGround>,
  servers: readonly GatewayServer[],
  more: Partial<ViewOptions> & {
    readonly topology?: { readonly trustedProxies: number };
    readonly answer?: (url: string, times: number) => number | "nothing";
  } = {},
): Promise<EdgeStage> {
  const reached: { url: string; headers: IncomingHttpHeaders }[] = [];
  const application = await ground.listening(
    createServer(async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      reached.push({ url: request.url ?? "", headers: request.headers });
      const status = more.answer?.(request.url ?? "", reached.length) ?? 200;
      if (status === "nothing") return;
      response.statusCode = status;
      response.setHeader("x-application", "yes");
      response.end(body === "" ? "reached" : body);
    }),
  );
  const port = await freePort();
  const listenersOf = (now: readonly GatewayServer[]): GatewayView => ({
    listeners: [
      {
        port: MEANT_PORT,
        containerPort: CONTAINER_PORT,
        listen: { address: LOOPBACK, port },
        servers: now,
      },
    ],
  });
  const { topology, answer: _, ...options } = more;
  const destinations = [
    destination({ name: "web", port: portOf(application), mutualTls: false }),
    ...(options.destinations ?? []),
  ];
  const view: WorkloadView = {
    ...workloadView({ name: "front", rootsPem: ground.rootsPem, ...options, destinations }),
    gateway: listenersOf(servers),
    ...(topology && { gatewayTopology: topology }),
  };
  const gateway = await ground.start({ view, svid: ground.mesh.svid(idOf("front")) });
  const change: EdgeStage["change"] = (make) => {
    const { current } = gateway.views;
    if (current !== undefined) gateway.views.set(make(current));
  };
  return {
    gateway,
    port,
    reached,
    ask: (asked) => ask(port, asked),
    askAll: (serverName, requests) => askAll(port, serverName, requests),
    serve: (now) => change((current) => ({ ...current, gateway: listenersOf(now) })),
    change,
  };
}

export function ask(port: number, asked: Asked): Promise<Told> {
  const { host, path = "/", method = "GET", headers = {}, body, tls, serverName = host } = asked;
  const options = { host: LOOPBACK, port, path, method, headers: { host, ...headers } };
  return new Promise((resolve, reject) => {
    const request =
      tls === undefined
        ? requestHttp({ ...options, agent: false })
        : requestHttps({
            ...options,
            agent: false,
            servername: serverName,
            rejectUnauthorized: false,
            ...tls,
          });
    request.on("error", reject);
    request.on("response", async (response) => {
      let text = "";
      try {
        for await (const chunk of response) text += chunk;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      } catch (error) {
        reject(error);
      }
    });
    request.end(body);
  });
}

export async function askAll(
  port: number,
  serverName: string,
  requests: readonly { readonly authority: string; readonly path?: string }[],
): Promise<readonly number[]> {
  const socket = connectTls({
    host: LOOPBACK,
    port,
    servername: serverName,
    rejectUnauthorized: false,
    ALPNProtocols: ["h2"],
  });
  await once(socket, "secureConnect");
  const session = connectHttp2(`https://${serverName}`, { createConnection: () => socket });
  try {
    const statuses: number[] = [];
    for (const { authority, path = "/" } of requests) {
      const stream = session.request({ ":path": path, ":authority": authority });
      const [headers] = await once(stream, "response");
      statuses.push(Number(headers[":status"]));
      stream.resume();
      await once(stream, "close");
    }
    return statuses;
  } finally {
    session.close();
  }
}
