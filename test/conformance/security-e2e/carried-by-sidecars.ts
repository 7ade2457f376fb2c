/**
 * Cases about the certificates of both ends, which no policy tells of: carried between real sidecars, or to a server that
 * has none, with certificates of the case's authority.
 */
import { once } from "node:events";
import { createServer as createHttpServer, request } from "node:http";
import type { Server } from "node:net";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";
import { parseSpiffeId, type SpiffeId } from "../../../src/identity/spiffe-id.ts";
import type { X509Svid } from "../../../src/identity/x509-svid.ts";
import type { Judgement } from "../../../src/policy/judge.ts";
import type { WorkloadView } from "../../../src/policy/workload-view.ts";
import { freePort } from "../../kit/free-port.ts";
import {
  destination,
  inboundPort,
  LOOPBACK,
  portOf,
  startTestSidecar,
  workloadView,
} from "../../kit/sidecar-fixture.ts";
import { authorityOf, type CaseAuthority } from "./authority-of-case.ts";
import type { E2eCase } from "./e2e-case.ts";
import { NotUnderstood } from "./not-understood.ts";

export type Carried =
  | { readonly came: "through"; readonly serverKey: string }
  | { readonly came: "refused"; readonly problem: string };

/** Whether what comes of a case depends on what is in a certificate beside its identity, or on a server's own. */
export function isAboutCertificates({ to, setup, expected }: E2eCase): boolean {
  return (
    to["serverCertificate"] !== undefined ||
    expected["serverCertificatePublicKeyAlgorithm"] !== undefined ||
    /\bCRL\b/.test(String(setup?.["ca"]))
  );
}

/** @throws NotUnderstood */
export async function carriedBySidecars(test: E2eCase, judgement: Judgement): Promise<Carried> {
  const { transport } = judgement;
  if (transport.kind !== "mutual-tls")
    throw new NotUnderstood(`certificates over ${transport.kind}`);
  const authority = await authorityOf(test);
  try {
    const outcomes: Carried[] = [];
    for (const callee of calleesOf(test, transport.callee))
      outcomes.push(await carry({ test, judgement, authority, callee }));
    const [first, ...others] = outcomes;
    if (first === undefined || others.some(({ came }) => came !== first.came))
      throw new NotUnderstood("to.serverCertificate of several identities that differ");
    return first;
  } finally {
    await authority.close();
  }
}

/** Those that the server is said to prove: where upstream's own words name several, all have the same fate. */
function calleesOf({ to }: E2eCase, callee: SpiffeId): readonly SpiffeId[] {
  const told = to["serverCertificate"];
  if (told === undefined) return [callee];
  const named = String(told).match(/spiffe:\/\/[^\s();,]+/g) ?? [];
  if (named.length === 0) throw new NotUnderstood(`to.serverCertificate ${told}`);
  return named.map(parseSpiffeId);
}

interface Carriage {
  readonly test: E2eCase;
  readonly judgement: Judgement;
  readonly authority: CaseAuthority;
  readonly callee: SpiffeId;
}

async function carry(carriage: Carriage): Promise<Carried> {
  const { test, judgement, authority, callee } = carriage;
  const { transport } = judgement;
  if (transport.kind !== "mutual-tls") throw new TypeError("no certificates");
  const serverSvid = authority.svid(callee);
  const clientSvid = authority.svid(transport.caller);
  const isNaked = test.to["serverCertificate"] !== undefined;
  const server = isNaked
    ? await nakedServer(serverSvid, authority)
    : await serverWithSidecar(serverSvid, carriage);
  const listen = await freePort();
  const identities = transport.accepted === "any" ? [] : transport.accepted;
  const destinations = [
    destination({ name: "api", port: server.port, listen, protocol: "tcp", identities }),
  ];
  const view = viewOf({ name: "frontend", svid: clientSvid, carriage, more: { destinations } });
  const client = await startTestSidecar({ view, svid: clientSvid });
  try {
    const problem = await problemOfRequest(listen);
    if (problem === undefined)
      return { came: "through", serverKey: await serverKey(server.port, clientSvid) };
    const entry = await client.entry();
    return { came: "refused", problem: entry.upstream_transport_failure_reason ?? problem };
  } finally {
    await client.sidecar.close();
    await server.close();
  }
}

interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** It agrees on no protocol, as a server that is not asked for one of its own. */
async function nakedServer(
  { certificateChainPem: cert, privateKeyPem: key }: X509Svid,
  { trust }: CaseAuthority,
): Promise<RunningServer> {
  const application = createHttpServer((_, response) => response.end("ok"));
  const mutual = { requestCert: true, rejectUnauthorized: true, ca: [...trust.rootsPem] };
  const server = createTlsServer({ cert, key, ...mutual }, (socket) => {
    application.emit("connection", socket);
  });
  const { port, close } = await listening(server);
  return {
    port,
    close: async () => {
      application.closeAllConnections();
      await close();
    },
  };
}

async function serverWithSidecar(svid: X509Svid, carriage: Carriage): Promise<RunningServer> {
  const plain = createHttpServer((_, response) => response.end("ok"));
  const application = await listening(plain);
  const port = await freePort();
  const mode = carriage.judgement.mutualTls?.mode ?? "PERMISSIVE";
  const ports = [
    inboundPort({ listen: port, application: application.port, protocol: "tcp", mode }),
  ];
  const view = viewOf({ name: "api", svid, carriage, more: { ports } });
  const { sidecar } = await startTestSidecar({ view, svid });
  return {
    port,
    close: async () => {
      await sidecar.close();
      plain.closeAllConnections();
      await application.close();
    },
  };
}

async function listening(server: Server): Promise<RunningServer> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return {
    port: portOf(server),
    close: async () => {
      server.close();
      await once(server, "close");
    },
  };
}

function viewOf({
  name,
  svid,
  carriage: { test, authority },
  more,
}: {
  readonly name: string;
  readonly svid: X509Svid;
  readonly carriage: Carriage;
  readonly more: Partial<Parameters<typeof workloadView>[0]>;
}): WorkloadView {
  const { rootsPem, crlsPem } = authority.trust;
  const aliases = test.setup?.meshConfig?.["trustDomainAliases"];
  const trustDomainAliases = Array.isArray(aliases) ? aliases.map(String) : [];
  const view = workloadView({ name, rootsPem, trustDomainAliases, ...more });
  return {
    ...view,
    workload: { ...view.workload, identity: svid.id },
    trust: { ...view.trust, crlsPem },
  };
}

/** @returns undefined when the application answered */
async function problemOfRequest(port: number): Promise<string | undefined> {
  const outgoing = request({ host: LOOPBACK, port, agent: false }).end();
  try {
    const [response] = await once(outgoing, "response");
    response.resume();
    await once(response, "end");
    return response.statusCode === 200 ? undefined : `status ${response.statusCode}`;
  } catch (error) {
    return String(error);
  }
}

/** Of the certificate that the callee shows, in the words of Go. */
async function serverKey(port: number, own: X509Svid): Promise<string> {
  const socket = connectTls({
    host: LOOPBACK,
    port,
    cert: own.certificateChainPem,
    key: own.privateKeyPem,
    ALPNProtocols: ["istio"],
    rejectUnauthorized: false,
  });
  await once(socket, "secureConnect");
  const type = socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType;
  socket.destroy();
  return type === "ec" ? "ECDSA" : String(type).toUpperCase();
}
