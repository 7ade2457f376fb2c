/**
 * Cases about tokens and external authorizers: what becomes of a request is found out by sending it. Each proxy on the way is a
 * real sidecar with the view of that workload; what its application hears is what the next one is sent.
 */
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { buildWorkloadView, identityOf } from "../../../src/policy/build-workload-view.ts";
import { effectiveRequestAuthentications } from "../../../src/policy/effective-policy.ts";
import { callingWorkload, type Question } from "../../../src/policy/question.ts";
import type { Outbound, WorkloadView } from "../../../src/policy/workload-view.ts";
import { type SampleAuthorizer, sampleAuthorizer } from "../../kit/sample-authorizer.ts";
import { LOOPBACK } from "../../kit/sidecar-fixture.ts";
import { carryHop, type HopContent } from "./carried-hop.ts";
import type { HopAnswer, Sent } from "./hop-ends.ts";
import type { CaseMesh } from "./hops-of-case.ts";

export interface CarriedRequest extends Omit<HopAnswer, "headers"> {
  readonly came: "carried";
  /** Of the answer; absent: nobody looked. */
  readonly headers?: HopAnswer["headers"];
  readonly hops: number;
  /** Whether the client showed a certificate of its own; absent: nobody looked. */
  readonly mtls?: boolean;
  /** Of the certificate that the last server was shown; absent: it was shown none. */
  readonly clientSubject?: string;
}

/** Whether any proxy on the way looks for tokens. */
export function isAboutTokens(hops: readonly Question[], { snapshot }: CaseMesh): boolean {
  return hops.some(
    ({ to, request: asked }) =>
      asked !== undefined && effectiveRequestAuthentications(snapshot, to).length > 0,
  );
}

/** Whether any proxy on the way may have to ask an authorizer. */
export function isAboutAuthorizers(hops: readonly Question[], { snapshot }: CaseMesh): boolean {
  return hops.some(
    ({ to }) => buildWorkloadView(snapshot, to).inbound.authorization.custom.length > 0,
  );
}

/** The key sets that a case's mesh can fetch, as `MeshSnapshot.tokenKeys`. */
export function tokenKeysOf(folder: string, jwksURI: string): ReadonlyMap<string, string> {
  return new Map([[jwksURI, readFileSync(join(folder, "fixtures/jwks.json"), "utf8")]]);
}

interface CarryOptions extends Pick<CaseMesh, "snapshot"> {
  readonly tokenKeys: ReadonlyMap<string, string>;
  /** Of requests. */
  readonly content: Exclude<HopContent, "tcp">;
}

export async function carryRequest(
  hops: readonly Question[],
  options: CarryOptions,
): Promise<CarriedRequest> {
  const authorizer = await sampleAuthorizer();
  try {
    return await carryAll(hops, { ...options, authorizer });
  } finally {
    await authorizer.close();
  }
}

async function carryAll(
  hops: readonly Question[],
  {
    snapshot,
    tokenKeys,
    content,
    authorizer,
  }: CarryOptions & { readonly authorizer: SampleAuthorizer },
): Promise<CarriedRequest> {
  const { trustDomain } = snapshot.settings;
  let sent: Sent | undefined;
  let outcome: CarriedRequest | undefined;
  for (const hop of hops) {
    sent ??= firstSent(hop);
    const view = buildWorkloadView({ ...snapshot, tokenKeys }, hop.to);
    const answer = await carryHop(sent, {
      view,
      trustDomain,
      containerPort: hop.containerPort,
      content: hop.request === undefined ? "tcp" : content,
      caller: provenBy(hop, trustDomain),
      destinations: authorizersOf(view, authorizer),
    });
    outcome = { came: "carried", hops: (outcome?.hops ?? 0) + 1, ...answer };
    if (answer.heard === undefined) return outcome;
    sent = { ...sent, headers: forwarded(answer.heard) };
  }
  if (outcome === undefined) throw new Error("no proxy was asked");
  return outcome;
}

function firstSent({ request }: Question): Sent {
  if (request === undefined) return { method: "", path: "", headers: {} };
  const { method, path, headers } = request;
  return { method, path, headers: Object.fromEntries(headers) };
}

function provenBy({ from }: Question, trustDomain: string) {
  const caller = callingWorkload(from);
  return caller?.injected === true ? identityOf(caller, trustDomain) : undefined;
}

/** The services of those that are asked, as destinations of the view; behind each is the sample. */
export function authorizersOf(
  { inbound: { authorizers = [] }, outbound: { destinations } }: WorkloadView,
  { ports }: SampleAuthorizer,
): Outbound["destinations"] {
  return authorizers.flatMap((authorizer) => {
    if (authorizer.kind === "unusable") return [];
    const { host, port, namespace, kind } = authorizer;
    const address = { address: LOOPBACK, port: ports[kind] };
    return destinations
      .filter((one) => one.host === host && one.servicePort === port)
      .filter(({ serviceNamespace }) => serviceNamespace === namespace)
      .map(({ addresses: _, ...one }) => ({
        ...one,
        endpoints: [{ workload: "ext-authz-0", address, mutualTls: false }],
      }));
  });
}

/** Without what belongs to one connection. */
function forwarded(heard: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const { connection: _one, ...rest } = heard;
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)]));
}
