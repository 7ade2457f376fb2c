/** From a request that has been let in to its answer. */
import { noSuchPath } from "../objects/refusals.ts";
import { StatusError } from "../objects/status-error.ts";
import { type ApiAnswer, value } from "./api-answer.ts";
import type { ApiContext } from "./api-context.ts";
import type { ApiRequest } from "./api-request.ts";
import { discoveryAnswer } from "./discovery.ts";
import { openApiAnswer } from "./openapi-answer.ts";
import { resourceTarget } from "./resource-target.ts";
import { serveResource } from "./resource-verbs.ts";
import { reviewAnswer } from "./review-kinds.ts";

/** The version of Kubernetes whose API this is like. */
const VERSION = {
  major: "1",
  minor: "32",
  gitVersion: "v1.32.0+hauberk",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "none",
  compiler: "none",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

const HEALTH = ["healthz", "livez", "readyz"];

/** @throws StatusError */
export async function serveRequest(context: ApiContext, request: ApiRequest): Promise<ApiAnswer> {
  const { path, method } = request;
  const target = resourceTarget(context.kinds, path);
  if (target !== undefined) return await serveResource({ context, target, request });
  const review = await reviewAnswer(request);
  if (review !== undefined) return review;
  const [first = "", ...rest] = path;
  const isRead = method === "GET" || method === "HEAD";
  const document = isRead ? documentAnswer(context, request) : undefined;
  if (document !== undefined) return document;
  if (isRead && HEALTH.includes(first) && rest.length === 0) return { status: 200, text: "ok" };
  if (!isRead && (path.length === 0 || first === "version"))
    throw new StatusError(405, "MethodNotAllowed", {
      message: "the server does not allow this method on the requested resource",
    });
  if (first !== "api" && first !== "apis") return { status: 404, text: "404 page not found\n" };
  throw noSuchPath();
}

function documentAnswer(context: ApiContext, request: ApiRequest): ApiAnswer | undefined {
  const [first, ...rest] = request.path;
  if (first === undefined) return value({ paths: ["/api", "/apis", "/openapi/v3", "/version"] });
  if (first === "version" && rest.length === 0) return value(VERSION);
  if (first === "openapi") return openApiAnswer(context.kinds, request);
  return discoveryAnswer(context.kinds, request);
}
