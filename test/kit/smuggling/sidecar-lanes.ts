/** The ways through a real sidecar: the callee's, by mutual TLS and plaintext, the caller's, and both behind each other. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { PortProtocol } from "../../../src/api/service.ts";
import type { X509Svid } from "../../../src/identity/x509-svid.ts";
import type { WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../free-port.ts";
import {
  destination,
  idOf,
  inboundPort,
  LOOPBACK,
  policy,
  startTestSidecar,
  type TestSidecar,
  workloadView,
} from "../sidecar-fixture.ts";
import { createThrowawayAuthority, type ThrowawayAuthority } from "../throwaway-authority.ts";
import type { Lane } from "./attack-exchange.ts";
import { RecordingUpstream } from "./recording-upstream.ts";
import { FORBIDDEN_HEADER, FORBIDDEN_PATH } from "./smuggling-case.ts";

export type SidecarLane =
  | "inbound, mutual TLS"
  | "inbound, plaintext"
  | "inbound, protocol found out"
  | "outbound"
  | "outbound and inbound";

export const SIDECAR_LANES: readonly SidecarLane[] = [
  "inbound, mutual TLS",
  "inbound, plaintext",
  "inbound, protocol found out",
  "outbound",
  "outbound and inbound",
];

export function openSidecarLane(name: SidecarLane): Promise<Lane> {
  const mesh = createThrowawayAuthority();
  switch (name) {
    case "inbound, mutual TLS":
      return inboundLane(mesh, { name, client: "mutual TLS" });
    case "inbound, plaintext":
      return inboundLane(mesh, { name, client: "plaintext" });
    case "inbound, protocol found out":
      return inboundLane(mesh, { name, client: "plaintext", protocol: "auto" });
    case "outbound":
      return outboundLane(mesh, name);
    case "outbound and inbound":
      return pairLane(mesh, name);
  }
}

/** Of a path and of a header, whatever its value. */
const FORBIDS = [
  policy("DENY", "no-admin", { to: [{ paths: [FORBIDDEN_PATH, `${FORBIDDEN_PATH}/*`] }] }),
  policy("DENY", "no-blocked", {
    when: [{ key: `request.headers[${FORBIDDEN_HEADER}]`, values: ["*"], notValues: [] }],
  }),
];

interface Callee {
  readonly port: number;
  readonly upstream: RecordingUpstream;
  readonly sidecar: TestSidecar;
}

async function startCallee(mesh: ThrowawayAuthority, protocol: PortProtocol): Promise<Callee> {
  const upstream = new RecordingUpstream();
  const [application, listen] = [await upstream.listen(), await freePort()];
  const ports = [inboundPort({ listen, application, protocol, mode: "PERMISSIVE" })];
  const view = workloadView({ rootsPem: [mesh.rootPem], ports, policies: FORBIDS });
  const sidecar = await startTestSidecar({ view: strictPaths(view), svid: mesh.svid(idOf("api")) });
  return { port: listen, upstream, sidecar };
}

/** The strictest form: however the forbidden path is written, it is forbidden (AP-105). */
function strictPaths(view: WorkloadView): WorkloadView {
  return { ...view, inbound: { ...view.inbound, pathNormalization: "DECODE_AND_MERGE_SLASHES" } };
}

async function inboundLane(
  mesh: ThrowawayAuthority,
  {
    name,
    client,
    protocol = "http",
  }: {
    readonly name: string;
    readonly client: "mutual TLS" | "plaintext";
    readonly protocol?: PortProtocol;
  },
): Promise<Lane> {
  const { port, upstream, sidecar } = await startCallee(mesh, protocol);
  const frontend = mesh.svid(idOf("frontend"));
  return {
    name,
    policy: "forbids",
    callerFields: client === "plaintext" ? "removed" : "kept",
    upstream,
    connect: () => (client === "plaintext" ? dial(port) : dialTls(port, frontend)),
    entries: sidecar.entries,
    close: () => closeAll(upstream, sidecar),
  };
}

/** The application behind it is another mesh's: nobody judges between. */
async function outboundLane(mesh: ThrowawayAuthority, name: string): Promise<Lane> {
  const upstream = new RecordingUpstream(mesh.svid(idOf("api")));
  const { port, sidecar } = await startCaller(mesh, await upstream.listen());
  return {
    name,
    policy: "allows",
    callerFields: "removed",
    upstream,
    connect: () => dial(port),
    close: () => closeAll(upstream, sidecar),
  };
}

async function pairLane(mesh: ThrowawayAuthority, name: string): Promise<Lane> {
  const callee = await startCallee(mesh, "http");
  const { port, sidecar } = await startCaller(mesh, callee.port);
  return {
    name,
    policy: "forbids",
    callerFields: "removed",
    upstream: callee.upstream,
    connect: () => dial(port),
    close: () => closeAll(callee.upstream, sidecar, callee.sidecar),
  };
}

async function startCaller(
  mesh: ThrowawayAuthority,
  calleePort: number,
): Promise<{ readonly port: number; readonly sidecar: TestSidecar }> {
  const port = await freePort();
  const destinations = [destination({ name: "api", port: calleePort, listen: port })];
  const view = workloadView({ name: "frontend", rootsPem: [mesh.rootPem], destinations });
  const sidecar = await startTestSidecar({ view, svid: mesh.svid(idOf("frontend")) });
  return { port, sidecar };
}

async function closeAll(upstream: RecordingUpstream, ...sidecars: TestSidecar[]): Promise<void> {
  upstream.close();
  await Promise.all(sidecars.map(({ sidecar }) => sidecar.close()));
}

export function dial(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: LOOPBACK, allowHalfOpen: true, noDelay: true });
    socket.once("connect", () => resolve(socket)).once("error", reject);
  });
}

function dialTls(port: number, { certificateChainPem, privateKeyPem }: X509Svid): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      port,
      host: LOOPBACK,
      cert: certificateChainPem,
      key: privateKeyPem,
      ALPNProtocols: ["istio-http/1.1", "istio", "http/1.1"],
      rejectUnauthorized: false,
    });
    socket.once("secureConnect", () => resolve(socket)).once("error", reject);
  });
}
