/** Lists, whole or in parts. Source: Kubernetes' API concepts, "Retrieving large results sets in chunks". */
import type { KubernetesObject } from "../kinds/kubernetes-object.ts";
import { forbiddenValue, unsupportedValue } from "../objects/metadata-problems.ts";
import type { ObjectStore } from "../objects/object-store.ts";
import { badRequest, expired, invalidOptions } from "../objects/refusals.ts";
import { StatusError } from "../objects/status-error.ts";
import type { ApiRequest } from "./api-request.ts";
import type { ListMeta } from "./present-objects.ts";
import { countOf } from "./request-options.ts";
import type { ResourceTarget } from "./resource-target.ts";
import { selectionOf } from "./selection.ts";

export interface ObjectList {
  readonly objects: readonly KubernetesObject[];
  readonly metadata: ListMeta;
}

interface Continuation {
  /** Version of the list that is continued. */
  readonly rv: number;
  /** `NAMESPACE/NAME` of the last object that was told. */
  readonly after: string;
}

const MATCH = "resourceVersionMatch";
const TOO_OLD =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.";

/** @throws StatusError 400, 410 for a state that is too long ago, 504 for one to come */
export function listObjects(
  store: ObjectStore,
  { target, request }: { readonly target: ResourceTarget; readonly request: ApiRequest },
): ObjectList {
  const { query } = request;
  const isWanted = selectionOf(request, target);
  const limit = countOf(query, "limit") ?? 0;
  const continued = continuationOf(query.get("continue") ?? "");
  const resourceVersion = continued?.rv ?? exactVersion(query, store) ?? store.resourceVersion;
  const { namespace } = target;
  const all = store.listAt(target.kind, {
    ...(namespace === undefined ? {} : { namespace }),
    resourceVersion,
  });
  if (all === undefined)
    throw expired(continued === undefined ? tooOld(resourceVersion, store) : TOO_OLD);
  const wanted = all.filter(isWanted);
  const rest =
    continued === undefined ? wanted : wanted.filter((one) => keyOf(one) > continued.after);
  const objects = limit > 0 ? rest.slice(0, limit) : rest;
  const last = objects.at(-1);
  const remaining = rest.length - objects.length;
  const metadata = { resourceVersion: String(resourceVersion) };
  if (remaining === 0 || last === undefined) return { objects, metadata };
  const more = printContinuation({ rv: resourceVersion, after: keyOf(last) });
  // With a selector, a real server does not count what it has not looked at.
  const isSelected = query.has("labelSelector") || query.has("fieldSelector");
  const counted = isSelected ? {} : { remainingItemCount: remaining };
  return { objects, metadata: { ...metadata, continue: more, ...counted } };
}

/**
 * @returns undefined: now
 * @throws StatusError 400, 422, 504
 */
function exactVersion(query: URLSearchParams, store: ObjectStore): number | undefined {
  const match = query.get("resourceVersionMatch") ?? "";
  const version = versionOf(query);
  if (match !== "" && match !== "Exact" && match !== "NotOlderThan")
    throw invalidOptions(
      "ListOptions",
      unsupportedValue(MATCH, JSON.stringify(match), ["Exact", "NotOlderThan", ""]),
    );
  if (match !== "" && !query.get("resourceVersion"))
    throw invalidOptions(
      "ListOptions",
      forbiddenValue(MATCH, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
    );
  refuseFuture(version, store);
  if (match !== "Exact") return undefined;
  if (version === 0)
    throw invalidOptions(
      "ListOptions",
      forbiddenValue(MATCH, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
    );
  return version;
}

/** @returns 0 where none is given @throws StatusError 400 */
export function versionOf(query: URLSearchParams): number {
  const text = query.get("resourceVersion") ?? "";
  if (!/^\d{0,15}$/.test(text))
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text.slice(0, 64))}`,
    );
  return Number(text);
}

/** @throws StatusError 504 */
export function refuseFuture(version: number, store: ObjectStore): void {
  const { resourceVersion } = store;
  if (version <= resourceVersion) return;
  const message = `Too large resource version: ${version}, current: ${resourceVersion}`;
  throw new StatusError(504, "Timeout", {
    message: `Timeout: ${message}`,
    details: {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
  });
}

export function tooOld(version: number, store: ObjectStore): string {
  return `too old resource version: ${version} (${store.resourceVersion})`;
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata.namespace ?? ""}/${metadata.name ?? ""}`;
}

function printContinuation(continuation: Continuation): string {
  return Buffer.from(JSON.stringify(continuation)).toString("base64url");
}

function continuationOf(text: string): Continuation | undefined {
  if (text === "") return undefined;
  try {
    const { rv, after }: Partial<Continuation> = JSON.parse(
      Buffer.from(text, "base64url").toString(),
    );
    if (Number.isSafeInteger(rv) && rv !== undefined && typeof after === "string")
      return { rv, after };
  } catch {
    // as what is no token of ours
  }
  throw badRequest("invalid continue token: continue key is not valid");
}
