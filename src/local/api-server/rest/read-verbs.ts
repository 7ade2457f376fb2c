/** GET of objects and collections. */
import { notFound } from "../objects/refusals.ts";
import { acceptedTransformation } from "./accept.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ResourceCall } from "./api-context.ts";
import { listObjects } from "./list-objects.ts";
import { type Form, presentList, presentObject } from "./present-objects.ts";
import { flagOf } from "./request-options.ts";
import { scaleOf } from "./scale-part.ts";
import { watchObjects } from "./watch-objects.ts";

/** @throws StatusError 400, 404, 406, 410, 429 */
export function readVerb(call: ResourceCall): ApiAnswer {
  const { context, target, request } = call;
  const { kind, name, namespace = "" } = target;
  const form = (): Form => formOf(call);
  form(); // what is not acceptable is refused before anything is streamed
  if (target.subresource === undefined && flagOf(request.query, "watch"))
    return watchObjects({ store: context.store, target, request, form, watches: context.watches });
  if (name === undefined) {
    const { objects, metadata } = listObjects(context.store, { target, request });
    return value(presentList(objects, { form: form(), metadata }));
  }
  const object = context.store.get({ kind, namespace, name });
  if (object === undefined) throw notFound(kind, name);
  if (target.subresource === "scale") return value(scaleOf(object));
  return value(presentObject(object, form()));
}

/** In which form a client wants the objects of an answer. @throws StatusError 406 */
export function formOf({ context, target, request }: ResourceCall): Form {
  const wanted = request.query.get("includeObject");
  return {
    kind: target.kind,
    apiVersion: target.apiVersion,
    transformation: acceptedTransformation(request.headers.accept),
    includeObject: wanted === "None" || wanted === "Object" ? wanted : "Metadata",
    now: context.store.clock.now().getTime(),
  };
}
