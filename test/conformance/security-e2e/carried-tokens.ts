/**
 * Cases about tokens: what becomes of one is found out by sending it. Each proxy on the way is a real sidecar with the view of
 * that workload; what its application hears is what the next one is sent.
 */

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, request, type Server } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { buildWorkloadView, identityOf } from "../../../src/policy/build-workload-view.ts";
import { effectiveRequestAuthentications } from "../../../src/policy/effective-policy.ts";
import { callingWorkload, type Question } from "../../../src/policy/question.ts";
import type { WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../../kit/free-port.ts";
import {
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  workloadView,
} from "../../kit/sidecar-fixture.ts";
import { createThrowawayAuthority } from "../../kit/throwaway-authority.ts";
import type { CaseMesh } from "./hops-of-case.ts";

export interface CarriedToken {
  readonly came: "carried";
  readonly status: number;
  readonly body: string;
  /** What the last application heard; absent: it was not reached. */
  readonly heard?: IncomingHttpHeaders;
  readonly hops: number;
}

/** Whether any proxy on the way looks for tokens. */
export function isAboutTokens(hops: readonly Question[], { snapshot }: CaseMesh): boolean {
  return hops.some(
    ({ to, request: asked }) =>
      asked !== undefined && effectiveRequestAuthentications(snapshot, to).length > 0,
  );
}

/** The key sets that a case's mesh can fetch, as `MeshSnapshot.tokenKeys`. */
export function tokenKeysOf(folder: string, jwksURI: string): ReadonlyMap<string, string> {
  return new Map([[jwksURI, readFileSync(join(folder, "fixtures/jwks.json"), "utf8")]]);
}

export async function carryTokens(
  hops: readonly Question[],
  {
    snapshot,
    tokenKeys,
  }: Pick<CaseMesh, "snapshot"> & { readonly tokenKeys: ReadonlyMap<string, string> },
): Promise<CarriedToken> {
  let sent: Sent | undefined;
  let outcome: CarriedToken | undefined;
  for (const hop of hops) {
    const asked = hop.request;
    if (asked === undefined) throw new TypeError("no request");
    sent ??= { method: asked.method, path: asked.path, headers: Object.fromEntries(asked.headers) };
    const view = buildWorkloadView({ ...snapshot, tokenKeys }, hop.to);
    outcome = await carry(
      { ...sent, hops: (outcome?.hops ?? 0) + 1 },
      { hop, view, trustDomain: snapshot.settings.trustDomain },
    );
    if (outcome.heard === undefined) return outcome;
    sent = { ...sent, headers: forwarded(outcome.heard) };
  }
  if (outcome === undefined) throw new Error("no proxy was asked");
  return outcome;
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Up to here. */
  readonly hops?: number;
}

/** Without what belongs to one connection. */
function forwarded(heard: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const { connection: _one, ...rest } = heard;
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
}

async function carry(
  sent: Sent,
  {
    hop,
    view,
    trustDomain,
  }: { readonly hop: Question; readonly view: WorkloadView; readonly trustDomain: string },
): Promise<CarriedToken> {
  const authority = createThrowawayAuthority({ trustDomain });
  const caller = callingWorkload(hop.from);
  const proves = caller?.injected === true ? identityOf(caller, trustDomain) : undefined;
  let heard: IncomingHttpHeaders | undefined;
  const application = createServer((incoming, response) => {
    heard = incoming.headers;
    response.end("ok");
  });
  await listening(application);
  const port = await freePort();
  const { containerPort } = hop;
  const declared = view.inbound.ports.find((one) => one.containerPort === containerPort);
  const ends = inboundPort({ listen: port, application: portOf(application), mode: "PERMISSIVE" });
  const { listen, application: target } = ends;
  // The application here speaks HTTP/1.
  const protocol = declared?.protocol === "http2" ? "http" : ends.protocol;
  const served = { ...ends, ...declared, protocol, containerPort, listen, application: target };
  const { sidecar } = await startTestSidecar({
    svid: authority.svid(view.workload.identity),
    view: {
      ...workloadView({ rootsPem: [authority.rootPem] }),
      workload: view.workload,
      trust: { ...view.trust, rootsPem: [authority.rootPem] },
      inbound: { ...view.inbound, ports: [served] },
    },
  });
  try {
    const svid = proves && authority.svid(proves);
    const { status, body } = await send(sent, () =>
      svid === undefined
        ? connect({ host: LOOPBACK, port })
        : connectTls({
            ...{
              host: LOOPBACK,
              port,
              rejectUnauthorized: false,
              ALPNProtocols: ["istio-http/1.1"],
            },
            ...{ cert: svid.certificateChainPem, key: svid.privateKeyPem },
          }),
    );
    return { came: "carried", status, body, hops: sent.hops ?? 1, ...(heard && { heard }) };
  } finally {
    await sidecar.close();
    application.closeAllConnections();
    application.close();
  }
}

async function listening(server: Server): Promise<void> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
}

async function send(
  { method, path, headers }: Sent,
  createConnection: () => ReturnType<typeof connect>,
): Promise<{ readonly status: number; readonly body: string }> {
  const outgoing = request({
    method,
    path,
    headers: { ...headers, connection: "close" },
    createConnection,
  });
  outgoing.end();
  const [answer] = await once(outgoing, "response");
  let body = "";
  for await (const chunk of answer) body += chunk;
  return { status: answer.statusCode, body };
}
