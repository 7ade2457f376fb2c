/**
 * Plays a sequence of changes to the functions that our API server changes objects with. What a real server refused for
 * what an object says, which they do not judge, is left out; everything else is theirs to answer.
 */
import { isDeepStrictEqual } from "node:util";
import type { KubernetesObject } from "../../../src/local/api-server/kinds/kubernetes-object.ts";
import type { ServedKind } from "../../../src/local/api-server/kinds/served-kind.ts";
import { SERVED_KINDS } from "../../../src/local/api-server/kinds/served-kinds.ts";
import { StatusError } from "../../../src/local/api-server/objects/status-error.ts";
import { applyObject } from "../../../src/local/api-server/patches/apply-object.ts";
import { type Change, trackUpdate } from "../../../src/local/api-server/patches/managed-fields.ts";
import { patchObject } from "../../../src/local/api-server/patches/patch-object.ts";
import type { RecordedStep } from "./comparable-object.ts";
import type { Operation, OperationSequence } from "./operation-sequences.ts";

const BORN = Date.parse("2026-01-01T00:00:00Z");

export interface PlayedStep {
  readonly object: KubernetesObject | undefined;
  readonly unchanged: boolean;
  readonly refusal: StatusError | undefined;
}

/** @param recorded tells when each step was made, and which were refused */
export function* playedSequence(
  sequence: OperationSequence,
  recorded: readonly RecordedStep[],
): Generator<PlayedStep> {
  const kind = servedKind(sequence);
  let live: KubernetesObject | undefined;
  for (const [index, operation] of sequence.operations.entries()) {
    const { at = 0, status = 0 } = recorded[index] ?? {};
    const time = timeAt(at);
    const before: KubernetesObject | undefined = live;
    let refusal: StatusError | undefined;
    if (status < 400 || status === 409) {
      try {
        live = changed(kind, before, { operation, time });
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        refusal = error;
      }
    }
    yield { object: live, unchanged: isDeepStrictEqual(before, live), refusal };
  }
}

const timeAt = (seconds: number): string =>
  new Date(BORN + seconds * 1000).toISOString().replace(".000Z", "Z");

function servedKind({ kind: { apiVersion, plural } }: OperationSequence): ServedKind {
  const group = apiVersion.includes("/") ? apiVersion.split("/")[0] : "";
  const found = SERVED_KINDS.find((kind) => kind.group === group && kind.plural === plural);
  if (found === undefined) throw new Error(`${plural} is not served`);
  return found;
}

interface Step {
  readonly operation: Operation;
  readonly time: string;
}

function changed(kind: ServedKind, before: KubernetesObject | undefined, step: Step) {
  const { operation, time } = step;
  const { manager, subresource } = operation;
  const apiVersion = kind.group === "" ? kind.versions[0] : `${kind.group}/${kind.versions[0]}`;
  const change: Change = { manager, apiVersion, time, ...(subresource && { subresource }) };
  if (operation.type === "apply") {
    const applied = operation.body as KubernetesObject;
    const force = operation.force === true;
    const after = applyObject(kind, before, applied, { ...change, force });
    return stored(kind, before, { after, subresource });
  }
  const sent =
    subresource === "scale" ? scaled(before, operation) : sentObject(kind, before, operation);
  const after = kind.withDefaults?.(sent) ?? sent;
  return stored(kind, before, { after: trackUpdate(kind, before, after, change), subresource });
}

function sentObject(
  kind: ServedKind,
  before: KubernetesObject | undefined,
  { type, body }: Operation,
): KubernetesObject {
  if (type === "create" || type === "update") return body as KubernetesObject;
  if (before === undefined) throw new Error("a patch of nothing");
  return patchObject(kind, before, { type: type as "json" | "merge" | "strategic", body });
}

function scaled(before: KubernetesObject | undefined, { body }: Operation): KubernetesObject {
  if (before === undefined) throw new Error("a scale of nothing");
  const { replicas } = (body as KubernetesObject)["spec"] as { replicas: number };
  return { ...before, spec: { ...(before["spec"] as object), replicas } };
}

interface Stored {
  readonly after: KubernetesObject;
  readonly subresource: Operation["subresource"];
}

/** As the strategies of kinds leave it: status by its own way alone, generations counted. */
function stored(
  kind: ServedKind,
  before: KubernetesObject | undefined,
  { after, subresource }: Stored,
): KubernetesObject {
  const hasStatus = kind.subresources.includes("status");
  const whole = before === undefined ? after : (kind.carriedOver?.(before, after) ?? after);
  const { status: written, ...rest } = whole;
  if (subresource === "status" && before !== undefined) {
    const { managedFields } = after.metadata;
    const metadata = kind.origin === "custom" ? before.metadata : after.metadata;
    const labels = kind.kind === "Deployment" ? before.metadata.labels : metadata.labels;
    const { labels: _, managedFields: __, ...others } = metadata;
    return {
      ...before,
      metadata: { ...others, ...(labels && { labels }), ...(managedFields && { managedFields }) },
      ...(written !== undefined && { status: written }),
    };
  }
  const live = before?.["status"];
  const first = kind.withDefaults?.({ ...rest, status: {} } as KubernetesObject)["status"];
  const status = before === undefined ? (kind.origin === "custom" ? undefined : first) : live;
  const object = (
    hasStatus ? { ...rest, ...(status !== undefined && { status }) } : after
  ) as KubernetesObject;
  return withGeneration(kind, before, kind.kind === "Service" ? withAddress(object) : object);
}

const COUNTED = ["apps", "networking.k8s.io"];

function withGeneration(
  kind: ServedKind,
  before: KubernetesObject | undefined,
  after: KubernetesObject,
): KubernetesObject {
  const creationTimestamp = timeAt(0);
  const { namespace = "sequences" } = before?.metadata ?? {};
  const metadata = { ...after.metadata, namespace, creationTimestamp };
  if (kind.origin !== "custom" && !COUNTED.includes(kind.group)) return { ...after, metadata };
  const last = before?.metadata.generation ?? 0;
  const same = before !== undefined && isDeepStrictEqual(wanted(before), wanted(after));
  return { ...after, metadata: { ...metadata, generation: same ? last : last + 1 } };
}

/** Its annotations are part of what a Deployment wants. */
function wanted({ kind, metadata, spec }: KubernetesObject): unknown {
  return kind === "Deployment" ? [spec, metadata.annotations] : spec;
}

/** What a real server gives a Service when it has none. */
function withAddress(service: KubernetesObject): KubernetesObject {
  const address = "10.96.0.2";
  const given = { clusterIP: address, clusterIPs: [address], ipFamilies: ["IPv4"] };
  const spec = { ...given, ipFamilyPolicy: "SingleStack", ...(service["spec"] as object) };
  return { ...service, spec };
}
