/** From a request for a resource to what serves it. */
import type { Verb } from "../kinds/served-kind.ts";
import { methodNotAllowed, noSuchPath } from "../objects/refusals.ts";
import type { ApiAnswer } from "./api-answer.ts";
import type { ResourceCall } from "./api-context.ts";
import { deleteCollectionVerb, deleteVerb } from "./delete-verbs.ts";
import { patchVerb } from "./patch-verb.ts";
import { readVerb } from "./read-verbs.ts";
import { requestToken } from "./token-request.ts";
import { createVerb, updateVerb } from "./write-verbs.ts";

type Serve = (call: ResourceCall) => ApiAnswer | Promise<ApiAnswer>;

interface Route {
  /** What the kind must allow. */
  readonly verb: Verb;
  readonly serve: Serve;
}

const COLLECTION: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["GET", { verb: "list", serve: readVerb }],
  ["POST", { verb: "create", serve: createVerb }],
  ["DELETE", { verb: "deletecollection", serve: deleteCollectionVerb }],
]);

const OBJECT: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["GET", { verb: "get", serve: readVerb }],
  ["PUT", { verb: "update", serve: updateVerb }],
  ["PATCH", { verb: "patch", serve: patchVerb }],
  ["DELETE", { verb: "delete", serve: deleteVerb }],
]);

/** Parts of an object that are read and written like objects. */
const PARTS: ReadonlyMap<string, Serve> = new Map<string, Serve>([
  ["GET", readVerb],
  ["PUT", updateVerb],
  ["PATCH", patchVerb],
]);

/** @throws StatusError */
export async function serveResource(call: ResourceCall): Promise<ApiAnswer> {
  const { target, request } = call;
  const { kind, name, namespace, subresource } = target;
  const { method } = request;
  if (subresource !== undefined) return await servePart(call, subresource);
  const route = (name === undefined ? COLLECTION : OBJECT).get(method);
  if (route === undefined || !kind.verbs.includes(route.verb)) throw methodNotAllowed();
  const needsNamespace = kind.namespaced && namespace === undefined;
  if (needsNamespace && route.verb !== "list") throw methodNotAllowed();
  return await route.serve(call);
}

async function servePart(call: ResourceCall, subresource: string): Promise<ApiAnswer> {
  const { kind } = call.target;
  const { method } = call.request;
  const isServed = kind.subresources.some((one) => one === subresource);
  if (!isServed) throw noSuchPath();
  if (subresource === "token" && method === "POST") return await requestToken(call);
  const isPart = subresource === "status" || subresource === "scale";
  const serve = isPart ? PARTS.get(method) : undefined;
  if (serve === undefined) throw methodNotAllowed();
  return await serve(call);
}
