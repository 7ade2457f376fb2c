/** PATCH of all four types. */
import { isJsonObject, textAt, valueAt } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import { forbiddenValue, invalidValue, requiredValue } from "../objects/metadata-problems.ts";
import { prepareCreate } from "../objects/prepare-create.ts";
import { prepareUpdate } from "../objects/prepare-update.ts";
import { badRequest, invalid, invalidOptions, notFound } from "../objects/refusals.ts";
import { StatusError } from "../objects/status-error.ts";
import { timestamp } from "../objects/timestamp.ts";
import { applyObject } from "../patches/apply-object.ts";
import { patchObject } from "../patches/patch-object.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ResourceCall } from "./api-context.ts";
import { decodeObject, settled, storedVersion } from "./decode-object.ts";
import { contentTypeOf, readPatchBody } from "./read-body.ts";
import { formOf } from "./read-verbs.ts";
import { type WriteOptions, writeOptions } from "./request-options.ts";
import type { ResourceTarget } from "./resource-target.ts";
import { SCALE_KIND, scaleOf, withScale } from "./scale-part.ts";
import { answerOf, attributionOf, partOf } from "./write-verbs.ts";

type PatchType = "json" | "merge" | "strategic" | "apply";

const TYPES: ReadonlyMap<string, PatchType> = new Map([
  ["application/json-patch+json", "json"],
  ["application/merge-patch+json", "merge"],
  ["application/strategic-merge-patch+json", "strategic"],
  ["application/apply-patch+yaml", "apply"],
  ["application/apply-patch+json", "apply"],
]);

interface Patching {
  readonly call: ResourceCall;
  readonly options: WriteOptions;
  readonly body: JsonValue;
}

/** @throws StatusError */
export async function patchVerb(call: ResourceCall): Promise<ApiAnswer> {
  const type = patchTypeOf(call);
  const patching = {
    call,
    options: writeOptions(call.request),
    body: await readPatchBody(call.request),
  };
  if (type !== "apply") {
    if (call.request.query.has("force"))
      throw invalidOptions(
        "PatchOptions",
        forbiddenValue("force", "may not be specified for non-apply patch"),
      );
    return await patch(patching, type);
  }
  if ((call.request.query.get("fieldManager") ?? "") === "")
    throw invalidOptions(
      "PatchOptions",
      requiredValue("fieldManager", "is required for apply patch"),
    );
  return await apply(patching);
}

/** @throws StatusError 415 */
function patchTypeOf({ target, request }: ResourceCall): PatchType {
  const type = TYPES.get(contentTypeOf(request));
  const isServed = type !== "strategic" || target.kind.origin === "built-in";
  if (type !== undefined && isServed) return type;
  const accepted = [...TYPES.keys()].filter(
    (name) => target.kind.origin === "built-in" || TYPES.get(name) !== "strategic",
  );
  throw new StatusError(415, "UnsupportedMediaType", {
    message: `the body of the request was in an unknown format - accepted media types include: ${accepted.slice(0, -1).join(", ")}`,
  });
}

async function patch(
  { call, options, body }: Patching,
  type: Exclude<PatchType, "apply">,
): Promise<ApiAnswer> {
  const { context, target } = call;
  const { kind, namespace = "", name = "", apiVersion } = target;
  const form = formOf(call);
  const part = partOf(call);
  const warnings = new Set<string>();
  const rewrite = (live: KubernetesObject): KubernetesObject => {
    if (part === "scale") {
      const scale = patchObject(SCALE_KIND, scaleOf(live), { type, body });
      return withScale(live, scale);
    }
    const patched = patchObject(kind, { ...live, apiVersion }, { type, body });
    refuseOther(patched, { target, live });
    const { fieldValidation } = options;
    const refusal = (problem: string): StatusError => unreadablePatch(patched, problem);
    const decoded = settled(patched, { target, fieldValidation, refusal });
    for (const warning of decoded.warnings) warnings.add(warning);
    return decoded.object;
  };
  const by = attributionOf(call, options);
  const written = await context.store.submit(
    () =>
      prepareUpdate(context.store, {
        kind,
        namespace,
        name,
        rewrite,
        by,
        ...(part === undefined ? {} : { part }),
      }),
    options,
  );
  if (part === "scale") return value(scaleOf(written.object), { warnings: written.warnings });
  return answerOf(written, { call, form, warnings: [...warnings] });
}

async function apply({ call, options, body }: Patching): Promise<ApiAnswer> {
  const { context, target } = call;
  const { kind, namespace = "", name = "" } = target;
  const { store } = context;
  const form = formOf(call);
  const part = partOf(call);
  const applied = appliedObject({ call, options, body });
  const change = {
    ...attributionOf(call, options),
    time: timestamp(store.clock),
    force: options.force,
  };
  // Whoever applies speaks in a version of his own; objects are stored in one.
  const applyTo = (live: KubernetesObject | undefined): KubernetesObject => {
    const spoken = live === undefined ? undefined : { ...live, apiVersion: target.apiVersion };
    const object = applyObject(kind, spoken, applied.object, change);
    return storedVersion(kind.withDefaults?.(object) ?? object, target);
  };
  const written = await store.submit(() => {
    if (store.get({ kind, namespace, name }) === undefined) {
      if (part !== undefined) throw notFound(kind, name);
      return prepareCreate(store, { kind, namespace, object: applyTo(undefined) });
    }
    return prepareUpdate(store, {
      kind,
      namespace,
      name,
      rewrite: applyTo,
      ...(part === undefined ? {} : { part }),
    });
  }, options);
  const status = written.change.before === undefined ? 201 : 200;
  if (part === "scale") return value(scaleOf(written.object), { warnings: written.warnings });
  return answerOf(written, { call, form, warnings: applied.warnings, status });
}

/**
 * What is applied is what its manager wants: nothing is filled in.
 *
 * @throws StatusError 400
 */
function appliedObject({ call, options, body }: Patching): ReturnType<typeof decodeObject> {
  const { target } = call;
  if (!isJsonObject(body)) throw badRequest("error decoding YAML: the patch is not an object");
  if (textAt(body, "kind") === "" || textAt(body, "apiVersion") === "")
    throw badRequest("the applied object has no apiVersion and kind");
  const owners = valueAt(body, ["metadata", "managedFields"]);
  if (owners !== undefined && owners !== null && !isEmptyList(owners))
    throw badRequest("metadata.managedFields must be nil");
  const { fieldValidation } = options;
  if (partOf(call) === "scale" && textAt(body, "kind") === "Scale") {
    const replicas = valueAt(body, ["spec", "replicas"]);
    const { namespace, name = "" } = target;
    const asObject: JsonObject = {
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      ...(replicas === undefined ? {} : { spec: { replicas } }),
    };
    return decodeObject(asObject, { target, fieldValidation, defaults: "left out" });
  }
  const decoded = decodeObject(body, { target, fieldValidation: "Warn", defaults: "left out" });
  const { name = "", namespace = "" } = decoded.object.metadata;
  if (name === "")
    throw badRequest(
      `the name of the object (${target.name} based on URL) was undeterminable: name must be provided`,
    );
  const [unknown] = decoded.unknown;
  if (unknown === undefined) return decoded;
  throw badRequest(
    `failed to create typed patch object (${namespace}/${name}; ${target.apiVersion}, Kind=${target.kind.kind}): .${unknown}: field not declared in schema`,
  );
}

function unreadablePatch(patched: KubernetesObject, problem: string): StatusError {
  return invalid({ group: "", kind: "", plural: "" }, "", [
    invalidValue("patch", sortedText(patched), problem),
  ]);
}

/** With fields in the order of their names, as a real server tells it. */
function sortedText(value: JsonValue): string {
  return JSON.stringify(value, (_name, part: JsonValue) =>
    isJsonObject(part) ? Object.fromEntries(Object.entries(part).sort(byName)) : part,
  );
}

function byName([one]: readonly [string, unknown], [other]: readonly [string, unknown]): number {
  return one < other ? -1 : 1;
}

function isEmptyList(value: JsonValue): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** A patch makes no other object of an object. @throws StatusError 400, 422 */
function refuseOther(
  patched: KubernetesObject,
  { target, live }: { readonly target: ResourceTarget; readonly live: KubernetesObject },
): void {
  const { kind, apiVersion, name = "", namespace = "" } = target;
  const { metadata } = patched;
  if (patched.kind !== kind.kind || patched.apiVersion !== apiVersion)
    throw unreadablePatch(patched, `it is no ${kind.kind} of ${apiVersion} any more`);
  if (!isJsonObject(metadata)) throw unreadablePatch(patched, "metadata is not an object");
  if (metadata.name !== name)
    throw badRequest(
      `the name of the object (${metadata.name ?? ""}) does not match the name on the URL (${name})`,
    );
  if ((metadata.namespace ?? "") !== namespace)
    throw badRequest(
      "the namespace of the provided object does not match the namespace sent on the request",
    );
  const { uid = live.metadata.uid } = metadata;
  if (uid !== live.metadata.uid)
    throw invalid(kind, name, [invalidValue("metadata.uid", uid ?? "", "field is immutable")]);
}
