/** POST and PUT: objects made, and objects rewritten. */
import type { JsonObject, KubernetesObject } from "../kinds/kubernetes-object.ts";
import type { Attribution } from "../objects/attribution.ts";
import { invalidValue } from "../objects/metadata-problems.ts";
import type { Submitted } from "../objects/object-store.ts";
import { prepareCreate } from "../objects/prepare-create.ts";
import { prepareUpdate } from "../objects/prepare-update.ts";
import { badRequest, invalid } from "../objects/refusals.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ResourceCall } from "./api-context.ts";
import { decodeObject } from "./decode-object.ts";
import { presentObject } from "./present-objects.ts";
import { readObjectBody } from "./read-body.ts";
import { formOf } from "./read-verbs.ts";
import { type WriteOptions, writeOptions } from "./request-options.ts";
import { SCALE_KIND, scaleOf, withScale } from "./scale-part.ts";

/** @throws StatusError */
export async function createVerb(call: ResourceCall): Promise<ApiAnswer> {
  const { context, target, request } = call;
  const { kind, namespace = "" } = target;
  const form = formOf(call);
  const { dryRun, ...options } = writeOptions(request);
  const { object, warnings } = decodeObject(await bodyOf(call), { target, ...options });
  const by = attributionOf(call, options);
  const made = await context.store.submit(
    () => prepareCreate(context.store, { kind, namespace, object, by }),
    { dryRun },
  );
  return value(presentObject(made.object, form), {
    status: 201,
    warnings: [...warnings, ...made.warnings],
  });
}

/** @throws StatusError */
export async function updateVerb(call: ResourceCall): Promise<ApiAnswer> {
  const { context, target, request } = call;
  const { kind, namespace = "", name = "" } = target;
  const form = formOf(call);
  const { dryRun, ...options } = writeOptions(request);
  const body = await bodyOf(call);
  const by = attributionOf(call, options);
  const part = partOf(call);
  if (part === "scale") {
    const scaleTarget = { ...target, kind: SCALE_KIND, apiVersion: "autoscaling/v1" };
    const { object: scale } = decodeObject(body, { target: scaleTarget, ...options });
    const rewrite = (object: KubernetesObject): KubernetesObject => withScale(object, scale);
    const scaled = await context.store.submit(
      () => prepareUpdate(context.store, { kind, namespace, name, rewrite, by, part }),
      { dryRun },
    );
    return value(scaleOf(scaled.object), { warnings: scaled.warnings });
  }
  const { object, warnings } = decodeObject(body, { target, ...options });
  if ((object.metadata.name ?? "") === "")
    throw badRequest(
      "the name of the object (one based on URL) was undeterminable: name must be provided",
    );
  refuseUnconditional(call, object);
  const written = await context.store.submit(
    () =>
      prepareUpdate(context.store, {
        kind,
        namespace,
        name,
        rewrite: () => object,
        by,
        ...(part === undefined ? {} : { part }),
      }),
    { dryRun },
  );
  return answerOf(written, { call, form, warnings });
}

/** Kinds that resource definitions bring are written over only by who has seen what is there. @throws StatusError 422 */
function refuseUnconditional({ target }: ResourceCall, { metadata }: KubernetesObject): void {
  const { kind, name = "" } = target;
  if (kind.origin === "built-in" || (metadata.resourceVersion ?? "") !== "") return;
  throw invalid({ ...kind, kind: kind.plural }, name, [
    invalidValue("metadata.resourceVersion", 0, "must be specified for an update"),
  ]);
}

export function answerOf(
  { object, warnings }: Submitted,
  {
    form,
    warnings: earlier,
    status = 200,
  }: {
    readonly call: ResourceCall;
    readonly form: ReturnType<typeof formOf>;
    readonly warnings: readonly string[];
    readonly status?: number;
  },
): ApiAnswer {
  return value(presentObject(object, form), { status, warnings: [...earlier, ...warnings] });
}

/** @throws StatusError 400, 413, 415 */
export async function bodyOf({ context, target, request }: ResourceCall): Promise<JsonObject> {
  const body = await readObjectBody(request, context.readProtobuf);
  if (body !== undefined) return body;
  throw badRequest(
    `the object provided is unrecognized (must be of type ${target.kind.kind}): the body is empty`,
  );
}

export function attributionOf(
  { target }: ResourceCall,
  { manager }: Pick<WriteOptions, "manager">,
): Attribution {
  const { apiVersion, subresource } = target;
  const part = subresource === "status" || subresource === "scale" ? subresource : undefined;
  return { manager, apiVersion, ...(part === undefined ? {} : { subresource: part }) };
}

export function partOf({ target }: ResourceCall): "status" | "scale" | undefined {
  const { subresource } = target;
  return subresource === "status" || subresource === "scale" ? subresource : undefined;
}
