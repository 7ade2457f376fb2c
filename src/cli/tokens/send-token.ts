/** Puts a token into a request that is asked about: where a client of that issuer would. */
import type { TokenLocations } from "../../api/request-authentication.ts";
import { readParts } from "../../jwt/read-token.ts";
import type { AskedRequest } from "../../policy/question.ts";
import type { AppliedTokenRule } from "../../policy/workload-view.ts";

export interface SentToken {
  readonly request: AskedRequest;
  readonly place: TokenPlace;
}

export interface TokenPlace {
  readonly in: "header" | "param" | "cookie";
  readonly name: string;
  /** Of a header: what stands before the token. */
  readonly prefix: string;
}

/** The first place of the rule that knows the token's issuer; of none that does, of the first rule. */
export function sendToken(
  request: AskedRequest,
  token: string,
  rules: readonly AppliedTokenRule[],
): SentToken {
  const issuer = readParts(token).payload.object?.["iss"];
  const rule = rules.find((one) => one.issuer === issuer) ?? rules[0];
  const place = firstPlace(rule?.locations);
  return { request: withToken(request, token, place), place };
}

const USUAL: TokenPlace = { in: "header", name: "authorization", prefix: "Bearer " };

function firstPlace(locations: TokenLocations | undefined): TokenPlace {
  const { headers: [header] = [], params: [param] = [], cookies: [cookie] = [] } = locations ?? {};
  if (header !== undefined) return { in: "header", ...header, name: header.name.toLowerCase() };
  if (param !== undefined) return { in: "param", name: param, prefix: "" };
  return cookie === undefined ? USUAL : { in: "cookie", name: cookie, prefix: "" };
}

function withToken(
  request: AskedRequest,
  token: string,
  { in: where, name, prefix }: TokenPlace,
): AskedRequest {
  if (where === "header") return withHeader(request, name, { value: `${prefix}${token}`, by: "," });
  if (where === "cookie")
    return withHeader(request, "cookie", { value: `${name}=${token}`, by: "; " });
  const { path } = request;
  const pair = `${encodeURIComponent(name)}=${encodeURIComponent(token)}`;
  return { ...request, path: `${path}${path.includes("?") ? "&" : "?"}${pair}` };
}

function withHeader(
  request: AskedRequest,
  name: string,
  { value, by }: { readonly value: string; readonly by: string },
): AskedRequest {
  const before = request.headers.get(name);
  const headers = new Map(request.headers);
  headers.set(name, before === undefined ? value : `${before}${by}${value}`);
  return { ...request, headers };
}
