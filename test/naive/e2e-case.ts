/** A case of Istio's end-to-end authorization tests, as the interpreter can be asked about it. */
import type { Labels } from "../../src/api/resource.ts";
import type { RequestFacts, TrafficFacts } from "../kit/traffic-facts.ts";
import type { E2eFolder } from "./e2e-folder.ts";
import { payloadFor } from "./e2e-token.ts";

export interface E2eCase {
  readonly name: string;
  readonly renderedPolicies: string;
  readonly setup?: {
    readonly addWorkloadLabels?: Readonly<Record<string, Labels>>;
    readonly meshConfig?: {
      readonly defaultConfig?: {
        readonly gatewayTopology?: { readonly numTrustedProxies?: number };
      };
    };
  };
  readonly from: {
    readonly ns: string;
    readonly workload: string;
    readonly spiffe?: string | null;
    readonly sidecar?: boolean;
    readonly external?: boolean;
  };
  readonly to: {
    readonly via?: string;
    readonly ns: string;
    readonly workload: string;
    readonly host?: string;
    readonly port: {
      readonly servicePort: number | null;
      readonly workloadPort?: number;
      readonly protocol: string;
    };
    readonly method?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string>>;
  };
  readonly expected: { readonly allowed?: boolean; readonly httpStatus?: number };
}

/** A workload whose policies are asked, and the traffic it sees. */
export interface E2eQuestion {
  readonly namespace: string;
  readonly labels: Labels;
  readonly facts: TrafficFacts;
}

/** A case that the interpreter alone can't tell about, and why. */
export interface NotApplicable {
  readonly notApplicable: string;
}

const HTTP: readonly string[] = ["HTTP", "HTTP2", "GRPC"];
const GATEWAY = { app: "istio-ingressgateway", istio: "ingressgateway" };
/** Where the gateway listens for port 80 of its Service (AP-56). */
const GATEWAY_PORT = 8080;
const GATEWAY_ADDRESS = "10.44.0.2";
const OUTSIDE = "203.0.113.7";

/** One question for each proxy with policies on the way. */
export function questionsOf(
  test: E2eCase,
  folder: E2eFolder,
): readonly E2eQuestion[] | NotApplicable {
  const { from, to } = test;
  if (to.via === "ingress-gateway") return gatewayQuestions(test, folder);
  if (to.via !== undefined) return { notApplicable: `the way is by ${to.via}` };
  const [caller, callee] = [folder.workloads[from.workload], folder.workloads[to.workload]];
  if (caller === undefined || callee === undefined) return { notApplicable: "unknown workload" };
  if (!callee.sidecar)
    return { notApplicable: "the callee has no sidecar: nothing is enforced (AP-6)" };
  const isMutual = from.sidecar === true && !folder.speaksPlaintext(test);
  if (!isMutual && folder.demandsMutualTls(test)) {
    return { notApplicable: "mutual TLS decides, not authorization (PA-37)" };
  }
  const request = requestFacts(test, folder);
  if (request !== undefined && "notApplicable" in request) return request;
  const added = test.setup?.addWorkloadLabels?.[`${to.ns}/${to.workload}`];
  const connection = {
    ...(isMutual && from.spiffe ? { principal: from.spiffe } : {}),
    sourceAddress: caller.podIP[from.ns] ?? "",
    destinationAddress: callee.podIP[to.ns] ?? "",
    destinationPort: to.port.workloadPort ?? 0,
    ...(isMutual ? { serverName: `outbound_.${to.port.servicePort}_._.${to.host}` } : {}),
  };
  const facts = { connection, ...(request === undefined ? {} : { request }) };
  return [{ namespace: to.ns, labels: { ...callee.labels, ...added }, facts }];
}

function requestFacts(test: E2eCase, folder: E2eFolder): RequestFacts | NotApplicable | undefined {
  const { from, to } = test;
  if (!HTTP.includes(to.port.protocol)) return undefined;
  const headers = lowerCased(to.headers);
  const token = payloadFor(test, folder);
  if (token !== undefined && "notApplicable" in token) return token;
  const forwarded = headers["x-forwarded-for"]?.split(",").at(-1)?.trim();
  const authority = headers["host"] ?? to.host;
  return {
    method: to.method ?? "GET",
    path: normalized(to.path ?? "/"),
    ...(authority === undefined ? {} : { authority }),
    // AP-51a
    remoteAddress: forwarded ?? folder.workloads[from.workload]?.podIP[from.ns] ?? "",
    headers,
    ...(token === undefined ? {} : { token: token.payload }),
  };
}

/** The gateway's own policies, and those of the workload behind it. */
function gatewayQuestions(test: E2eCase, folder: E2eFolder): readonly E2eQuestion[] {
  const { to } = test;
  const callee = folder.workloads[to.workload];
  const request = gatewayRequest(test);
  const connection = {
    sourceAddress: OUTSIDE,
    destinationAddress: GATEWAY_ADDRESS,
    destinationPort: GATEWAY_PORT,
  };
  const behind = {
    principal: "spiffe://cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account",
    sourceAddress: GATEWAY_ADDRESS,
    destinationAddress: callee?.podIP[to.ns] ?? "",
    destinationPort: to.port.workloadPort ?? folder.workloadPort(to.port.servicePort),
  };
  return [
    { namespace: "istio-system", labels: GATEWAY, facts: { connection, request } },
    {
      namespace: to.ns,
      labels: callee?.labels ?? {},
      facts: { connection: behind, request },
    },
  ];
}

/** AP-51: a gateway takes the Nth address from the right, N being the proxies before it that are trusted. */
function gatewayRequest({ to, setup }: E2eCase): RequestFacts {
  const headers = lowerCased(to.headers);
  const trusted = setup?.meshConfig?.defaultConfig?.gatewayTopology?.numTrustedProxies ?? 0;
  const forwarded = (headers["x-forwarded-for"] ?? "").split(",").map((one) => one.trim());
  const told = trusted > 0 ? forwarded.at(-trusted) : undefined;
  return {
    method: to.method ?? "GET",
    path: normalized(to.path ?? "/"),
    ...(headers["host"] === undefined ? {} : { authority: headers["host"] }),
    remoteAddress: told || OUTSIDE,
    headers,
  };
}

/** AP-102, by the reading of URLs that browsers have. */
function normalized(path: string): string {
  if (!path.startsWith("/")) return path;
  const { pathname, search } = new URL(`http://host${path}`);
  return pathname + search;
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
}
