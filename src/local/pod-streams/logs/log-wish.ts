/** What a request for a log asks for. Source: Kubernetes core/v1 PodLogOptions. */
import { badRequest } from "../../api-server/objects/refusals.ts";
import { isTrue } from "../query.ts";

export interface LogWish {
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  /** Milliseconds since 1970. */
  readonly since: number | undefined;
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
}

/** @throws StatusError 400 */
export function parseLogWish(query: URLSearchParams, now: number): LogWish {
  const sinceSeconds = wholeNumber(query, "sinceSeconds");
  const sinceTime = query.get("sinceTime");
  if (sinceSeconds !== undefined && sinceTime !== null)
    throw badRequest("at most one of `sinceTime` or `sinceSeconds` may be specified");
  const limitBytes = wholeNumber(query, "limitBytes");
  if (limitBytes === 0) throw badRequest("limitBytes must be greater than 0");
  return {
    follow: isTrue(query, "follow"),
    previous: isTrue(query, "previous"),
    timestamps: isTrue(query, "timestamps"),
    since: sinceSeconds === undefined ? instant(sinceTime) : now - sinceSeconds * 1_000,
    tailLines: wholeNumber(query, "tailLines"),
    limitBytes,
  };
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^[0-9]{1,15}$/.test(text))
    throw badRequest(`${name} is ${JSON.stringify(text)}; expected a whole number, 0 or more`);
  return Number(text);
}

function instant(text: string | null): number | undefined {
  if (text === null || text === "") return undefined;
  const at = Date.parse(text);
  if (Number.isNaN(at))
    throw badRequest(`sinceTime is ${JSON.stringify(text)}; expected a time such as RFC 3339 has`);
  return at;
}
