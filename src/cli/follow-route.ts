/** Who is asked in the end about a call whose host was said: the route of the caller's sidecar is followed, and a gateway's. */
import { judge } from "../policy/judge.ts";
import { type Led, type LedRequest, ledRequest } from "../policy/led-request.ts";
import type { MeshSnapshot } from "../policy/mesh-snapshot.ts";
import type { Question } from "../policy/question.ts";

/** Routes are followed where the question says by which host the callee is called. */
export function saysHost({ request }: Pick<Question, "request">): boolean {
  return request?.headers.has("host") === true;
}

/**
 * What the caller's sidecar makes of the call before any callee hears of it.
 *
 * @returns undefined where nobody's route has a say, or no host was said
 * @throws QuestionError
 */
export function routeOfCaller(snapshot: MeshSnapshot, asked: Question): LedRequest | undefined {
  if (!saysHost(asked) || asked.request === undefined) return undefined;
  const { payload, ...request } = asked.request;
  const judgement = judge(snapshot, { ...asked, request });
  if (judgement.server !== undefined) return undefined;
  return ledRequest(snapshot, { question: asked, judgement });
}

/**
 * Where a gateway that was called sends the request on.
 *
 * @returns undefined where the gateway lets it in to no route, or no host was said
 */
export function routeOfGateway(
  snapshot: MeshSnapshot,
  {
    question,
    judgement,
  }: Led & { readonly judgement: { readonly decision: { readonly verdict: string } } },
): LedRequest | undefined {
  if (!saysHost(question) || judgement.server === undefined) return undefined;
  if (judgement.decision.verdict === "deny") return undefined;
  return ledRequest(snapshot, { question, judgement });
}
