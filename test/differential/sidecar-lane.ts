/** The embedded sidecar, on the same ports for all sets: each set is a view that comes anew. */
import { setImmediate } from "node:timers/promises";
import { parseSpiffeId } from "../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../src/identity/x509-svid.ts";
import type { SocketAddress } from "../../src/policy/workload.ts";
import { freePort } from "../kit/free-port.ts";
import { startTestSidecar, type TestSidecar } from "../kit/sidecar-fixture.ts";
import type { Application } from "./application.ts";
import { callAll } from "./call-over-sockets.ts";
import { calleeOf } from "./callee-identity.ts";
import { certificateOf } from "./known-parties.ts";
import { type Call, type Outcome, PORT_ADDRESSES, type PolicySet } from "./question.ts";
import { viewOfSet } from "./view-of-set.ts";

export interface SidecarLane {
  ask(set: PolicySet, calls: readonly Call[]): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}

const DAY_MS = 86_400_000;
/** Within which a view is in force for all that is begun afterwards: no listener has to be opened. */
const TURNS = 5;

export async function openSidecarLane(application: Application): Promise<SidecarLane> {
  const ports = new Map<number, number>();
  for (const containerPort of PORT_ADDRESSES.keys()) ports.set(containerPort, await freePort());
  const placement = {
    listen: (containerPort: number): number => ports.get(containerPort) ?? 0,
    application: application.address,
    authorizer: application.authorizer,
  };
  const placeOf = (containerPort: number): SocketAddress => ({
    address: PORT_ADDRESSES.get(containerPort) ?? "",
    port: placement.listen(containerPort),
  });
  const svids = new Map<string, X509Svid>();
  let started: TestSidecar | undefined;
  return {
    async ask(set, calls) {
      const view = viewOfSet({ ...set, ports: allPorts(set) }, placement);
      const id = calleeOf(set);
      const svid = svids.get(id) ?? svidOf(id);
      svids.set(id, svid);
      if (started === undefined) started = await startTestSidecar({ view, svid, keep: "nothing" });
      else if (started.views.current?.inbound.authorization !== set.policies) {
        started.svid.set(svid);
        started.views.set(view);
        for (let turn = 0; turn < TURNS; turn++) await setImmediate();
      }
      return callAll(calls, placeOf);
    },
    close: async () => started?.sidecar.close(),
  };
}

/** Those that the set does not have are never called, and stay open for those that have. */
function allPorts({ ports }: PolicySet): PolicySet["ports"] {
  const own = new Map(ports.map((port) => [port.containerPort, port]));
  return [...PORT_ADDRESSES.keys()].map(
    (containerPort) => own.get(containerPort) ?? { containerPort, protocol: "tcp" },
  );
}

function svidOf(id: string): X509Svid {
  const { certificatePem, privateKeyPem } = certificateOf([id]);
  const now = Date.now();
  return {
    id: parseSpiffeId(id),
    certificateChainPem: certificatePem,
    privateKeyPem,
    serialNumber: "01",
    issuedAt: new Date(now),
    notAfter: new Date(now + DAY_MS),
  };
}
