/** DELETE of an object, and of a whole collection. */
import { textAt, valueAt } from "../kinds/json-access.ts";
import type { JsonObject, JsonValue, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { ServedKind } from "../kinds/served-kind.ts";
import { unsupportedValue } from "../objects/metadata-problems.ts";
import type { Submitted } from "../objects/object-store.ts";
import { type Deletion, type Propagation, prepareDelete } from "../objects/prepare-delete.ts";
import { badRequest, invalidOptions } from "../objects/refusals.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ResourceCall } from "./api-context.ts";
import { listObjects } from "./list-objects.ts";
import { presentList, presentObject } from "./present-objects.ts";
import { readObjectBody } from "./read-body.ts";
import { formOf } from "./read-verbs.ts";
import { countOf, dryRunOf, flagOf } from "./request-options.ts";

/** Of these, the object itself is the answer, though it has gone. */
const TELLING_THE_OBJECT = ["/pods", "/services", "/serviceaccounts"];

const ORPHANS =
  "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

interface DeleteOptions
  extends Pick<Deletion, "propagation" | "gracePeriodSeconds" | "preconditions"> {
  readonly dryRun: boolean;
}

/** @throws StatusError */
export async function deleteVerb(call: ResourceCall): Promise<ApiAnswer> {
  const { context, target } = call;
  const { kind, namespace = "", name = "" } = target;
  const form = formOf(call);
  const { dryRun, ...options } = await deleteOptions(call);
  const { store } = context;
  const gone = await store.submit(
    () => prepareDelete(store, { kind, namespace, name, ...options }),
    { dryRun },
  );
  const { object } = gone;
  const isOrphaning =
    kind.group === "batch" && kind.plural === "jobs" && !("propagation" in options);
  const warnings = isOrphaning ? [ORPHANS, ...gone.warnings] : gone.warnings;
  if (isGone(gone) && !TELLING_THE_OBJECT.includes(`${kind.group}/${kind.plural}`))
    return value(successOf(kind, object), { warnings });
  return value(presentObject(object, form), { warnings });
}

/** @throws StatusError of the first that is refused; those before it have gone */
export async function deleteCollectionVerb(call: ResourceCall): Promise<ApiAnswer> {
  const { context, target, request } = call;
  const { kind } = target;
  const form = formOf(call);
  const { dryRun, ...options } = await deleteOptions(call);
  const { store } = context;
  const { objects, metadata } = listObjects(store, { target, request });
  const warnings: string[] = [];
  for (const { metadata: wanted } of objects) {
    const place = { kind, namespace: wanted.namespace ?? "", name: wanted.name ?? "" };
    if (store.get(place)?.metadata.uid !== wanted.uid) continue; // went with its owner
    const gone = await store.submit(() => prepareDelete(store, { ...place, ...options }), {
      dryRun,
    });
    warnings.push(...gone.warnings);
  }
  return value(presentList(objects, { form, metadata }), { warnings });
}

function isGone({ change }: Submitted): boolean {
  return change.after === undefined;
}

function successOf({ group, plural }: ServedKind, { metadata }: KubernetesObject): JsonObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name: metadata.name,
      ...(group === "" ? {} : { group }),
      kind: plural,
      uid: metadata.uid,
    },
  };
}

/** The body where there is one, otherwise the query. Source: meta/v1 DeleteOptions. */
async function deleteOptions({ context, request }: ResourceCall): Promise<DeleteOptions> {
  const { query } = request;
  const body = await readObjectBody(request, context.readProtobuf);
  if (body === undefined)
    return optionsOf({
      propagation: query.get("propagationPolicy") ?? "",
      orphan: query.has("orphanDependents") ? flagOf(query, "orphanDependents") : undefined,
      grace: countOf(query, "gracePeriodSeconds"),
      dryRun: query.getAll("dryRun"),
    });
  const dryRun = valueAt(body, ["dryRun"]);
  const given = [...(Array.isArray(dryRun) ? dryRun.map(String) : []), ...query.getAll("dryRun")];
  const uid = textAt(body, "preconditions", "uid");
  const resourceVersion = textAt(body, "preconditions", "resourceVersion");
  return {
    ...optionsOf({
      propagation: textAt(body, "propagationPolicy"),
      orphan: valueAt(body, ["orphanDependents"]),
      grace: valueAt(body, ["gracePeriodSeconds"]),
      dryRun: given,
    }),
    preconditions: {
      ...(uid === "" ? {} : { uid }),
      ...(resourceVersion === "" ? {} : { resourceVersion }),
    },
  };
}

function optionsOf({
  propagation,
  orphan,
  grace,
  dryRun,
}: {
  readonly propagation: string;
  readonly orphan: JsonValue | undefined;
  readonly grace: JsonValue | undefined;
  readonly dryRun: readonly string[];
}): DeleteOptions {
  const policy = propagation === "" ? ofOrphan(orphan) : propagationOf(propagation);
  if (typeof grace === "number" && !Number.isSafeInteger(grace))
    throw badRequest("gracePeriodSeconds is not a whole number");
  return {
    dryRun: dryRunOf(dryRun),
    ...(policy === undefined ? {} : { propagation: policy }),
    ...(typeof grace === "number" ? { gracePeriodSeconds: grace } : {}),
  };
}

function ofOrphan(orphan: JsonValue | undefined): Propagation | undefined {
  if (typeof orphan !== "boolean") return undefined;
  return orphan ? "Orphan" : "Background";
}

/** @throws StatusError 422 */
function propagationOf(text: string): Propagation {
  if (text === "Background" || text === "Foreground" || text === "Orphan") return text;
  throw invalidOptions(
    "DeleteOptions",
    unsupportedValue("propagationPolicy", JSON.stringify(text), [
      "Foreground",
      "Background",
      "Orphan",
      "nil",
    ]),
  );
}
