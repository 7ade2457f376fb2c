/** What a policy of the callee asks about and a question did not say, or not plainly: an answer then names the value it rests on. */
import { forwardedAddress } from "./asked-traffic.ts";
import type { MeshSnapshot } from "./mesh-snapshot.ts";
import { isolatingPolicies } from "./network-policy.ts";
import type { Question } from "./question.ts";
import type { Connection, HttpRequest } from "./traffic.ts";
import type { WorkloadView } from "./workload-view.ts";

export interface Assumptions {
  readonly authority?: string;
  /** Where the connection comes from. */
  readonly sourceAddress?: string;
  /** What rules on the remote address are asked about, where the request's X-Forwarded-For says another. */
  readonly remoteAddress?: string;
  /** A request without a token; "never seen": no RequestAuthentication applies to the callee. */
  readonly token?: "none" | "never seen";
}

const AUTHORITY_FIELDS = /^(hosts|notHosts|request\.headers\[(host|:authority)\])$/i;
const TOKEN_FIELDS = /^((not)?requestPrincipals|request\.auth\..*)$/i;
const SOURCE_FIELDS = /^((not)?ipBlocks|source\.ip)$/i;
const REMOTE_FIELDS = /^((not)?remoteIpBlocks|remote\.ip)$/i;

export function assumptionsOf(
  snapshot: MeshSnapshot,
  {
    question,
    view,
    connection,
    request,
  }: {
    readonly question: Question;
    readonly view: WorkloadView;
    readonly connection: Connection;
    readonly request: HttpRequest | undefined;
  },
): Assumptions {
  const assumesAuthority =
    !question.request?.headers.has("host") && asksAbout(view, AUTHORITY_FIELDS);
  const asksForRemote = asksAbout(view, REMOTE_FIELDS);
  const forwarded = request && question.request && forwardedAddress(question.request);
  const asksForSource =
    asksAbout(view, SOURCE_FIELDS) ||
    (asksForRemote && forwarded === undefined) ||
    admitsByAddress(snapshot, question);
  const assumesAddress = question.address === undefined && asksForSource;
  const isForwarded = asksForRemote && forwarded !== undefined;
  const token = request && assumedToken(view, question);
  return {
    ...(request?.authority !== undefined && assumesAuthority && { authority: request.authority }),
    ...(assumesAddress && { sourceAddress: connection.sourceAddress }),
    ...(isForwarded && { remoteAddress: forwarded }),
    ...(token !== undefined && { token }),
  };
}

function assumedToken(view: WorkloadView, { request }: Question): Assumptions["token"] {
  if (request?.payload !== undefined || request?.authentication !== undefined) return undefined;
  const { tokenRules = [] } = view.inbound;
  const isDemanded = tokenRules.some(({ presence }) => presence === "REQUIRED");
  if (!isDemanded && !asksAbout(view, TOKEN_FIELDS)) return undefined;
  return tokenRules.length === 0 ? "never seen" : "none";
}

/** Whether a NetworkPolicy of the callee has an `ipBlock`. */
function admitsByAddress({ networkPolicies }: MeshSnapshot, { to }: Question): boolean {
  const policies = networkPolicies.get(to.namespace) ?? [];
  return isolatingPolicies(policies, { pod: to, direction: "ingress" })
    .flatMap(({ ingress }) => ingress)
    .flatMap(({ peers }) => peers)
    .some(({ kind }) => kind === "block");
}

/** Whether any rule that applies to the callee has a field, or key, of such a name. */
function asksAbout({ inbound: { authorization } }: WorkloadView, fields: RegExp): boolean {
  const { custom, audit, deny, allow } = authorization;
  return [...custom, ...audit, ...deny, ...allow]
    .flatMap(({ rules }) => rules)
    .flatMap(({ from, to, when }) => [
      ...[...from, ...to].flatMap((alternative) => Object.keys(alternative)),
      ...when.map(({ key }) => key),
    ])
    .some((field) => fields.test(field));
}
