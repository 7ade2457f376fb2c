/** Tokens of service accounts: `kubectl create token`. Source: authentication.k8s.io/v1 TokenRequest. */
import { numberAt, objectAt, textAt, textsAt } from "../kinds/json-access.ts";
import type { JsonObject } from "../kinds/kubernetes-object.ts";
import { badRequest, conflict, notFound } from "../objects/refusals.ts";
import { StatusError } from "../objects/status-error.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ResourceCall } from "./api-context.ts";
import { readObjectBody } from "./read-body.ts";

/** Where the client names no time. */
const USUAL_SECONDS = 3_600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const MAX_AUDIENCES = 32;

export interface TokenWish {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly serviceAccountUid: string;
  /** Empty: the mesh's usual one. */
  readonly audiences: readonly string[];
  readonly lifetimeMs: number;
  /** What the token is bound to, such as a Pod; absent: nothing. */
  readonly boundTo:
    | { readonly kind: string; readonly name: string; readonly uid: string }
    | undefined;
}

export interface IssuedToken {
  readonly token: string;
  readonly audiences: readonly string[];
  readonly expiresAt: Date;
}

/** @throws StatusError to refuse it */
export type IssueToken = (wish: TokenWish) => Promise<IssuedToken>;

/** @throws StatusError 400, 404, 405, 409 */
export async function requestToken({ context, target, request }: ResourceCall): Promise<ApiAnswer> {
  const { kind, namespace = "", name = "" } = target;
  const account = context.store.get({ kind, namespace, name });
  if (account === undefined) throw notFound(kind, name);
  const { issueToken } = context;
  if (issueToken === undefined)
    throw new StatusError(405, "MethodNotAllowed", { message: "no tokens are issued here" });
  const body = (await readObjectBody(request, context.readProtobuf)) ?? {};
  const seconds = numberAt(body, "spec", "expirationSeconds") || USUAL_SECONDS;
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS)
    throw badRequest(
      `spec.expirationSeconds: Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
    );
  const audiences = textsAt(body, "spec", "audiences");
  if (audiences.length > MAX_AUDIENCES) throw badRequest("spec.audiences: Too many");
  const boundTo = boundObject(body, { context, target, request });
  const issued = await issueToken({
    namespace,
    serviceAccount: name,
    serviceAccountUid: account.metadata.uid ?? "",
    audiences,
    lifetimeMs: seconds * 1_000,
    boundTo,
  });
  const answer = {
    kind: "TokenRequest",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { name, namespace, creationTimestamp: account.metadata.creationTimestamp },
    spec: {
      audiences: issued.audiences,
      expirationSeconds: seconds,
      boundObjectRef: boundTo ?? null,
    },
    status: {
      token: issued.token,
      expirationTimestamp: `${issued.expiresAt.toISOString().slice(0, 19)}Z`,
    },
  };
  return value(answer, { status: 201 });
}

/**
 * A pod that is there, and runs as this service account: then its uid is known.
 *
 * @throws StatusError 400, 404, 409
 */
function boundObject(body: JsonObject, { context, target }: ResourceCall): TokenWish["boundTo"] {
  const reference = objectAt(body, "spec", "boundObjectRef");
  const [kind, name, uid] = ["kind", "name", "uid"].map((field) => textAt(reference, field));
  if (!kind || name === undefined) return undefined;
  const pods = context.store.kinds.find((one) => one.kind === "Pod" && one.group === "");
  if (kind !== "Pod" || pods === undefined)
    throw badRequest(`cannot bind token to object of type ${JSON.stringify(kind.slice(0, 64))}`);
  const pod = context.store.get({ kind: pods, namespace: target.namespace ?? "", name });
  if (pod === undefined) throw notFound(pods, name);
  const account = textAt(pod, "spec", "serviceAccountName");
  if (account !== target.name)
    throw badRequest(
      `cannot bind token for serviceaccount "${target.name}" to pod running with different serviceaccount name.`,
    );
  const found = pod.metadata.uid ?? "";
  if (uid && uid !== found)
    throw conflict(
      pods,
      name,
      `the UID in the bound object reference (${uid.slice(0, 64)}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return { kind, name, uid: found };
}
