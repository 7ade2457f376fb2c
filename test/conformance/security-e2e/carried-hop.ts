/** One request, or connection, to one workload: by a real client, through a real sidecar with that workload's view, to a real application. */
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SpiffeId } from "../../../src/identity/spiffe-id.ts";
import type { InboundPort, Outbound, WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../../kit/free-port.ts";
import {
  inboundPort,
  LOOPBACK,
  startTestSidecar,
  workloadView,
} from "../../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";
import { type HopAnswer, type Sent, send, startApplication } from "./hop-ends.ts";

/** How the hop's port is spoken to. */
export type HopContent = "http" | "grpc" | "tcp";

export interface Hop {
  readonly view: WorkloadView;
  readonly trustDomain: string;
  readonly containerPort: number;
  readonly content: HopContent;
  /** By its certificate; undefined: in plaintext. */
  readonly caller: SpiffeId | undefined;
  /** What the sidecar itself calls. */
  readonly destinations: Outbound["destinations"];
}

export async function carryHop(sent: Sent, hop: Hop): Promise<HopAnswer> {
  const { view, trustDomain, content, caller } = hop;
  const authority = createThrowawayAuthority({ trustDomain });
  const application = await startApplication(content);
  const listen = await freePort();
  const { sidecar } = await startTestSidecar({
    svid: authority.svid(view.workload.identity),
    view: servedView(hop, { listen, application: application.port, rootPem: authority.rootPem }),
  });
  try {
    const svid = caller && authority.svid(caller);
    const dial = (): Socket =>
      svid === undefined
        ? connect({ host: LOOPBACK, port: listen })
        : connectTls({
            ...{ host: LOOPBACK, port: listen, rejectUnauthorized: false },
            ...{ cert: svid.certificateChainPem, key: svid.privateKeyPem },
            ALPNProtocols: [...OFFERED[content]],
          });
    const answer = await send(content, { sent, dial });
    const heard = application.heard();
    return { ...answer, ...(heard && { heard }) };
  } finally {
    await sidecar.close();
    application.close();
  }
}

const OFFERED: Readonly<Record<HopContent, readonly string[]>> = {
  http: ["istio-http/1.1"],
  grpc: ["istio-h2", "istio", "h2"],
  tcp: ["istio"],
};

/** The workload's own, but for where it listens, and whom it trusts. */
function servedView(
  { view, containerPort, content, destinations }: Hop,
  {
    listen: port,
    application,
    rootPem,
  }: { readonly listen: number; readonly application: number; readonly rootPem: string },
): WorkloadView {
  const declared = view.inbound.ports.find((one) => one.containerPort === containerPort);
  const ends = inboundPort({ listen: port, application, mode: "PERMISSIVE" });
  const { listen, application: target } = ends;
  const served: InboundPort = {
    ...ends,
    ...declared,
    protocol: protocolOf(declared ?? {}, content),
    containerPort,
    listen,
    application: target,
  };
  const { outbound, ...rest } = workloadView({ rootsPem: [rootPem], destinations });
  return {
    ...rest,
    outbound,
    workload: view.workload,
    trust: { ...view.trust, rootsPem: [rootPem] },
    inbound: { ...view.inbound, ports: [served] },
  };
}

/** The applications here speak HTTP/1, and HTTP/2 for gRPC alone. */
function protocolOf(
  { protocol = "http" }: Partial<InboundPort>,
  content: HopContent,
): InboundPort["protocol"] {
  return protocol === "http2" && content !== "grpc" ? "http" : protocol;
}
