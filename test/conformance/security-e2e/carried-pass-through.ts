/**
 * Cases of pods that are called by their address, at ports that no service leads to: carried by the caller's real sidecar, if
 * it has one, to the callee's, each with the view of its workload.
 */
import { once } from "node:events";
import { createServer as createHttpServer, request } from "node:http";
import { connect, type Socket } from "node:net";
import { buildWorkloadView } from "../../../src/policy/build-workload-view.ts";
import { undeclaredPort } from "../../../src/policy/undeclared-port.ts";
import type { Workload } from "../../../src/policy/workload.ts";
import type { Destination, InboundPort, WorkloadView } from "../../../src/policy/workload-view.ts";
import { DestinationAddresses } from "../../../src/proxy/destination-addresses.ts";
import type { DestinationName } from "../../../src/proxy/outbound-call.ts";
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
import type { CaseMesh } from "./hops-of-case.ts";
import { NotUnderstood } from "./not-understood.ts";

/** Whether a ServiceEntry may be for the address that the case dials. */
export function isPassThrough({ to }: E2eCase, { policies }: Pick<CaseMesh, "policies">): boolean {
  return to.dial === "pod IP directly" && policies.some(({ kind }) => kind === "ServiceEntry");
}

/** @throws NotUnderstood */
export async function carryPassThrough(test: E2eCase, mesh: CaseMesh): Promise<CarriedRequest> {
  const stage = new Stage(mesh);
  try {
    return await stage.carry(test);
  } finally {
    await stage.close();
  }
}

class Stage {
  readonly #mesh: CaseMesh;
  readonly #authority = createThrowawayAuthority();
  readonly #closing: (() => unknown)[] = [];

  constructor(mesh: CaseMesh) {
    this.#mesh = mesh;
  }

  async carry({ from, to }: E2eCase): Promise<CarriedRequest> {
    const { workloadPort: containerPort } = to.port;
    if (to.ns === undefined || to.workload === undefined || containerPort === undefined)
      throw new NotUnderstood("to without a workload and its port");
    const callee = this.#workload(to.ns, to.workload);
    const caller = this.#workload(from.ns, from.workload);
    const port = await this.#callee(callee, containerPort);
    const called = { address: callee.addresses?.ipv4 ?? "", port: containerPort };
    const socket = caller.injected
      ? await this.#throughSidecar(caller, { called, port })
      : connect(port, LOOPBACK);
    return { came: "carried", hops: 1, headers: {}, body: "", ...(await statusOf(socket)) };
  }

  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close();
  }

  /** @returns where its sidecar listens for the port, as the kernel would lead there */
  async #callee(workload: Workload, containerPort: number): Promise<number> {
    const application = createHttpServer((_, response) => response.end("ok"));
    application.listen(0, LOOPBACK);
    await once(application, "listening");
    this.#closing.push(() => {
      application.closeAllConnections();
      application.close();
    });
    const port = await freePort();
    const view = buildWorkloadView(this.#mesh.snapshot, workload);
    const { listen, application: target } = inboundPort({
      listen: port,
      application: portOf(application),
    });
    const served = { ...portNamed(view, { workload, containerPort }), listen, application: target };
    await this.#start(view, { ports: [served], destinations: [] });
    return port;
  }

  async #throughSidecar(
    workload: Workload,
    {
      called,
      port,
    }: {
      readonly called: { readonly address: string; readonly port: number };
      readonly port: number;
    },
  ): Promise<Socket> {
    const view = buildWorkloadView(this.#mesh.snapshot, workload);
    const via = new DestinationAddresses(view.outbound.destinations).find(called);
    if (via === undefined) return connect(port, LOOPBACK); // as PassthroughCluster
    const httpProxy = await freePort();
    const destinations = view.outbound.destinations
      .filter((one) => isMeant(one, via))
      .map((one) => placed(one, port));
    await this.#start(view, { ports: [], destinations, httpProxy });
    const credentials = Buffer.from(`${workload.name}:${PROXY_PASSWORD}`).toString("base64");
    const connecting = request({
      host: LOOPBACK,
      port: httpProxy,
      method: "CONNECT",
      path: `${via.host}:${via.servicePort}`,
      headers: { "proxy-authorization": `Basic ${credentials}` },
    });
    connecting.end();
    const [opened, socket] = await once(connecting, "connect");
    if (opened.statusCode !== 200) throw new Error(`no tunnel: ${opened.statusCode}`);
    return socket;
  }

  async #start(
    view: WorkloadView,
    {
      ports,
      destinations,
      httpProxy,
    }: {
      readonly ports: readonly InboundPort[];
      readonly destinations: readonly Destination[];
      readonly httpProxy?: number;
    },
  ): Promise<void> {
    const address = LOOPBACK;
    const { sidecar } = await startTestSidecar({
      svid: this.#authority.svid(view.workload.identity),
      view: {
        ...view,
        trust: { ...view.trust, rootsPem: [this.#authority.rootPem] },
        inbound: { ...view.inbound, ports },
        outbound: {
          destinations,
          ...(httpProxy !== undefined && { httpProxy: { address, port: httpProxy } }),
        },
      },
    });
    this.#closing.push(() => sidecar.close());
  }

  #workload(namespace: string, owner: string): Workload {
    const found = this.#mesh.snapshot.workloads.find(
      (one) => one.namespace === namespace && one.owner === owner,
    );
    if (found === undefined) throw new NotUnderstood(`workload ${namespace}/${owner}`);
    return found;
  }
}

function portNamed(
  view: WorkloadView,
  { workload, containerPort }: { readonly workload: Workload; readonly containerPort: number },
): InboundPort {
  const declared = view.inbound.ports.find((one) => one.containerPort === containerPort);
  if (declared !== undefined) return declared;
  const { interception } = view;
  if (interception === undefined || workload.addresses === undefined)
    throw new NotUnderstood(`port ${containerPort}`);
  return undeclaredPort(interception, { containerPort, podAddress: workload.addresses.ipv4 });
}

function isMeant({ host, servicePort }: Destination, via: DestinationName): boolean {
  return host === via.host && servicePort === via.servicePort;
}

/** Where the kernel would have found the callee: at the address that was called, or at its endpoint. */
function placed(destination: Destination, port: number): Destination {
  const { endpoints, clientTls, serviceEntry } = destination;
  const mutualTls = clientTls ? clientTls.mode === "ISTIO_MUTUAL" : endpoints[0]?.mutualTls;
  const address = { address: LOOPBACK, port };
  return {
    ...destination,
    endpoints: [{ workload: "callee", address, mutualTls: mutualTls === true }],
    ...(serviceEntry && { serviceEntry: { ...serviceEntry, resolution: "STATIC" } }),
  };
}

/** 0: the connection ended. */
async function statusOf(socket: Socket): Promise<{ readonly status: number }> {
  const outgoing = request({ path: "/", createConnection: () => socket }).end();
  try {
    const [answer] = await once(outgoing, "response");
    answer.resume();
    return { status: answer.statusCode };
  } catch {
    return { status: 0 };
  } finally {
    socket.destroy();
  }
}
