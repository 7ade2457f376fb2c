/** What Istio's users set in the environment of the control plane, by the same names; here, of whoever runs the mesh. */
import { parseGoDuration } from "../api/go-duration.ts";
import { quoted } from "../api/quoted.ts";
import { DEFAULT_LIFETIME_MS, type LifetimeRules, MAX_LIFETIME_MS } from "../ca/issuing-rules.ts";
import { SELF_SIGNED_LIFETIME_MS } from "../ca/self-signed-authority.ts";
import type { GatewayScope } from "../policy/offered-servers.ts";
import type { GatewaySelectors } from "../policy/policy-selection.ts";
import { HauberkError } from "../runtime/hauberk-error.ts";

/** `DEFAULT_WORKLOAD_CERT_TTL` and `MAX_WORKLOAD_CERT_TTL` are the lifetime rules (CA-10). */
export interface ControlPlaneFlags extends LifetimeRules {
  /** `CITADEL_SELF_SIGNED_CA_CERT_TTL`: of an authority that is made anew (CA-40). */
  readonly selfSignedLifetimeMs: number;
  /**
   * `CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE`: per cent of a self-signed root's life that are left when
   * another takes its place; undefined: never, as an interval of 0 or less between checks says (CA-42).
   */
  readonly rootGracePercent: number | undefined;
  /** `ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY` (AP-15) */
  readonly gatewaySelectors: GatewaySelectors;
  /** `PILOT_SCOPE_GATEWAY_TO_NAMESPACE`: whether a Gateway is for workloads of its own namespace alone */
  readonly gatewayScope: GatewayScope;
  /** `CA_TRUSTED_NODE_ACCOUNTS`: who may ask for the certificates of others, as `NAMESPACE/SERVICE_ACCOUNT` (CA-9) */
  readonly trustedNodeAccounts: ReadonlySet<string>;
}

export const DEFAULT_CONTROL_PLANE_FLAGS: ControlPlaneFlags = {
  defaultLifetimeMs: DEFAULT_LIFETIME_MS,
  maxLifetimeMs: MAX_LIFETIME_MS,
  selfSignedLifetimeMs: SELF_SIGNED_LIFETIME_MS,
  rootGracePercent: 20,
  gatewaySelectors: "honoured",
  gatewayScope: "mesh",
  trustedNodeAccounts: new Set(),
};

/** Names of the flags, for whoever hands an environment on. */
export const CONTROL_PLANE_FLAG_NAMES = [
  "DEFAULT_WORKLOAD_CERT_TTL",
  "MAX_WORKLOAD_CERT_TTL",
  "CITADEL_SELF_SIGNED_CA_CERT_TTL",
  "CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE",
  "CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL",
  "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY",
  "PILOT_SCOPE_GATEWAY_TO_NAMESPACE",
  "CA_TRUSTED_NODE_ACCOUNTS",
] as const;
type FlagName = (typeof CONTROL_PLANE_FLAG_NAMES)[number];

type Environment = Readonly<Record<string, string | undefined>>;

const ACCOUNT = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;

/** As Go reads a boolean. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/** A flag has a value that cannot be read; the message lists every one. */
export class FlagError extends HauberkError {
  readonly code = "HAUBERK_FLAG";
}

/**
 * Reads the flags of an environment. A value that cannot be read is never replaced by a default in silence, as istiod
 * does it.
 *
 * @throws FlagError
 */
export function controlPlaneFlags(environment: Environment): ControlPlaneFlags {
  const problems: string[] = [];
  const defaults = DEFAULT_CONTROL_PLANE_FLAGS;
  const reading = { environment, problems };
  const flags: ControlPlaneFlags = {
    defaultLifetimeMs: lifetimeMs(reading, {
      name: "DEFAULT_WORKLOAD_CERT_TTL",
      fallback: defaults.defaultLifetimeMs,
    }),
    maxLifetimeMs: lifetimeMs(reading, {
      name: "MAX_WORKLOAD_CERT_TTL",
      fallback: defaults.maxLifetimeMs,
    }),
    selfSignedLifetimeMs: lifetimeMs(reading, {
      name: "CITADEL_SELF_SIGNED_CA_CERT_TTL",
      fallback: defaults.selfSignedLifetimeMs,
    }),
    rootGracePercent: rootGracePercent(reading),
    gatewaySelectors: gatewaySelectors(reading),
    gatewayScope: gatewayScope(reading),
    trustedNodeAccounts: trustedNodeAccounts(reading),
  };
  if (problems.length === 0 && flags.defaultLifetimeMs > flags.maxLifetimeMs) {
    problems.push("DEFAULT_WORKLOAD_CERT_TTL must not be longer than MAX_WORKLOAD_CERT_TTL");
  }
  if (problems.length > 0) throw new FlagError(problems.join("; "));
  return flags;
}

interface Reading {
  readonly environment: Environment;
  readonly problems: string[];
}

function lifetimeMs(
  { environment, problems }: Reading,
  { name, fallback }: { readonly name: FlagName; readonly fallback: number },
): number {
  const text = environment[name];
  if (text === undefined || text === "") return fallback;
  const parsed = parseGoDuration(text);
  if (parsed !== undefined && parsed >= 1000) return parsed;
  problems.push(`${name} is ${quoted(text)}; expected a Go duration of at least 1s, such as 24h`);
  return fallback;
}

/** Both flags of it: the interval says only whether, since it is looked at all the time. */
function rootGracePercent({ environment, problems }: Reading): number | undefined {
  const name: FlagName = "CITADEL_SELF_SIGNED_ROOT_CERT_GRACE_PERIOD_PERCENTILE";
  const intervalName: FlagName = "CITADEL_SELF_SIGNED_ROOT_CERT_CHECK_INTERVAL";
  const text = environment[name] || String(DEFAULT_CONTROL_PLANE_FLAGS.rootGracePercent);
  const interval = environment[intervalName] || "1h";
  const length = interval === "0" ? 0 : parseGoDuration(interval.replace(/^-/, ""));
  if (!/^[1-9]\d?$/.test(text))
    problems.push(`${name} is ${quoted(text)}; expected a whole number from 1 to 99`);
  if (length === undefined)
    problems.push(
      `${intervalName} is ${quoted(interval)}; expected a Go duration, such as 1h, or 0 for never`,
    );
  return length === 0 || interval.startsWith("-") ? undefined : Number(text);
}

function gatewaySelectors(reading: Reading): GatewaySelectors {
  const enabled = booleanFlag(reading, "ENABLE_SELECTOR_BASED_K8S_GATEWAY_POLICY");
  return enabled === false ? "ignored" : DEFAULT_CONTROL_PLANE_FLAGS.gatewaySelectors;
}

function gatewayScope(reading: Reading): GatewayScope {
  const enabled = booleanFlag(reading, "PILOT_SCOPE_GATEWAY_TO_NAMESPACE");
  return enabled === true ? "namespace" : DEFAULT_CONTROL_PLANE_FLAGS.gatewayScope;
}

/** @returns undefined where it is not set, or cannot be read */
function booleanFlag({ environment, problems }: Reading, name: FlagName): boolean | undefined {
  const text = environment[name];
  if (text === undefined || text === "") return undefined;
  const enabled = BOOLEANS.get(text);
  if (enabled === undefined) problems.push(`${name} is ${quoted(text)}; expected true or false`);
  return enabled;
}

/** Unlike istiod, an entry that is no account is refused, not left out in silence. */
function trustedNodeAccounts({ environment, problems }: Reading): ReadonlySet<string> {
  const name: FlagName = "CA_TRUSTED_NODE_ACCOUNTS";
  const text = environment[name];
  if (text === undefined || text === "") return new Set();
  const accounts = text.split(",");
  if (!accounts.every((account) => ACCOUNT.test(account)))
    problems.push(`${name} is ${quoted(text)}; expected NAMESPACE/SERVICE_ACCOUNT,...`);
  return new Set(accounts);
}
