/** What is measured beside what: pairs by name. */
import { Mix } from "../policy/mixed-rules.ts";
import { envoyAuthorizer, envoyLimit, envoyTokens } from "../requests/envoy-steps.ts";
import { askingAuthorizer, knowingUsers, limited } from "../requests/hauberk-steps.ts";
import { envoySide } from "./envoy-side.ts";
import { hauberkSide } from "./hauberk-side.ts";
import { haproxySide, nginxSide } from "./plain-peer-sides.ts";
import { type BenchContext, type Pair, type ProxySide, startPair } from "./proxy-side.ts";

const SEED = 7;
const FEW = 10;
const MANY = 10_000;

export type StackName =
  | "hauberk"
  | "envoy-h1"
  | "envoy-h2"
  | "nginx"
  | "haproxy"
  | "hauberk-to-envoy"
  | "envoy-to-hauberk"
  | "hauberk-10-rules"
  | "hauberk-10000-rules"
  | "envoy-10-rules"
  | "envoy-10000-rules"
  | "hauberk-jwt"
  | "envoy-jwt"
  | "envoy-jwt-cached"
  | "hauberk-limit"
  | "envoy-limit"
  | "hauberk-authorizer"
  | "envoy-authorizer";

const STARTS: Readonly<Record<StackName, () => Sides>> = {
  hauberk: () => both(hauberkSide()),
  "envoy-h1": () => both(envoySide("h1")),
  "envoy-h2": () => both(envoySide("h2")),
  nginx: () => both(nginxSide),
  haproxy: () => both(haproxySide),
  /** Ours before a callee's proxy that is not ours, and the other way round. */
  "hauberk-to-envoy": () => ({ caller: hauberkSide(), callee: envoySide("h1") }),
  "envoy-to-hauberk": () => ({ caller: envoySide("h1"), callee: hauberkSide() }),
  "hauberk-10-rules": () => both(hauberkSide(new Mix(SEED).rules(FEW))),
  "hauberk-10000-rules": () => both(hauberkSide(new Mix(SEED).rules(MANY))),
  "envoy-10-rules": () => both(envoySide("h1", new Mix(SEED).rules(FEW))),
  "envoy-10000-rules": () => both(envoySide("h1", new Mix(SEED).rules(MANY))),
  "hauberk-jwt": () => both(hauberkSide([], knowingUsers)),
  "envoy-jwt": () =>
    both(envoySide("h1", [], async ({ tokens }) => envoyTokens((await tokens()).jwks, "forgets"))),
  "envoy-jwt-cached": () =>
    both(
      envoySide("h1", [], async ({ tokens }) => envoyTokens((await tokens()).jwks, "remembers")),
    ),
  "hauberk-limit": () => both(hauberkSide([], limited)),
  "envoy-limit": () => both(envoySide("h1", [], async () => envoyLimit())),
  "hauberk-authorizer": () => both(hauberkSide([], askingAuthorizer)),
  "envoy-authorizer": () =>
    both(envoySide("h1", [], async ({ authorizer }) => envoyAuthorizer((await authorizer()).port))),
};

export const STACK_NAMES: readonly string[] = Object.keys(STARTS);

interface Sides {
  readonly caller: ProxySide;
  readonly callee: ProxySide;
}

export function startStack(name: StackName, context: BenchContext): Promise<Pair> {
  return startPair(STARTS[name](), context);
}

function both(side: ProxySide): Sides {
  return { caller: side, callee: side };
}
