/**
 * Cases of a mesh without sidecars run as a mesh with them where the specification says the same of both. These are the
 * rules by which it does not (section 11 of the specification, and its marks [Z]).
 */
import type { ExclusionRule } from "../suite-runner.ts";
import type { Mode } from "./e2e-case.ts";
import type { ReadCase } from "./exclusions.ts";
import { items, ofIstioKind, type RenderedPolicy, section } from "./rendered-policies.ts";

export const AMBIENT_EXCLUSIONS: readonly ExclusionRule<ReadCase>[] = [
  {
    reason:
      "a waypoint stands before the callee: it obeys policies that target a Service, a Gateway or its class, which are never for a sidecar (AP-14, AP-16)",
    applies: ({ test, policies }) =>
      hasWaypoint(test.to.mode) &&
      [...authorization(policies), ...ofIstioKind(policies, "RequestAuthentication")].some(
        isTargeted,
      ),
  },
  {
    reason:
      "a waypoint stands before the callee, whose own policies then see the waypoint as the caller (AP-149)",
    applies: ({ test, policies }) =>
      hasWaypoint(test.to.mode) && authorization(policies).length > 0,
  },
  {
    reason:
      "a waypoint tells the callee who called it, in a header of its own (XFCC, a later issue)",
    applies: ({ test }) =>
      hasWaypoint(test.to.mode) && test.expected["upstreamRequestHeaders"] !== undefined,
  },
  {
    reason:
      "ztunnel does not read HTTP: it leaves ALLOW rules out that ask for any of it, and its DENY rules without the rest never match (AP-66, AP-143, JWT-10)",
    applies: ({ test, policies }) =>
      test.to.mode === "ztunnel" &&
      (ofIstioKind(policies, "RequestAuthentication").length > 0 ||
        authorization(policies).some((policy) => !isTargeted(policy) && asksBeyondTcp(policy))),
  },
  {
    reason: "ztunnel has neither CUSTOM nor AUDIT, and no dry run by itself (AP-114, AP-140)",
    applies: ({ test, policies }) =>
      isZtunnel(test.to.mode) &&
      authorization(policies).some(
        ({ spec, metadata }) =>
          ["CUSTOM", "AUDIT"].includes(String(spec?.["action"])) ||
          metadata.annotations?.["istio.io/dry-run"] !== undefined,
      ),
  },
  {
    reason: "ztunnel takes DISABLE for PERMISSIVE, where a sidecar refuses TLS (PA-52)",
    applies: ({ test, policies }) =>
      isZtunnel(test.to.mode) &&
      ofIstioKind(policies, "PeerAuthentication").some(({ spec }) =>
        JSON.stringify(spec).includes('"DISABLE"'),
      ),
  },
  {
    reason:
      "the caller dials the pod's address: ztunnel speaks mutual TLS to it, a sidecar passes plaintext through (TLS-24)",
    applies: ({ test }) => test.to.dial !== undefined && isZtunnel(test.from.mode),
  },
];

function isZtunnel(mode: Mode | undefined): boolean {
  return mode?.startsWith("ztunnel") ?? false;
}

function hasWaypoint(mode: Mode | undefined): boolean {
  return mode?.includes("waypoint") ?? false;
}

function authorization(policies: readonly RenderedPolicy[]): readonly RenderedPolicy[] {
  return ofIstioKind(policies, "AuthorizationPolicy");
}

function isTargeted({ spec }: RenderedPolicy): boolean {
  return spec?.["targetRefs"] !== undefined || spec?.["targetRef"] !== undefined;
}

/** AP-143 */
const OF_TCP =
  /^(not)?(principals|namespaces|serviceAccounts|ipBlocks|ports)$|^(source\.(ip|namespace|principal)|destination\.(ip|port))$/i;

function asksBeyondTcp({ spec }: RenderedPolicy): boolean {
  const asked = items(spec, "rules").flatMap((rule) => [
    ...items(rule, "from").flatMap((from) => Object.keys(section(from, "source"))),
    ...items(rule, "to").flatMap((to) => Object.keys(section(to, "operation"))),
    ...items(rule, "when").map((condition) => String(section(condition)["key"])),
  ]);
  return asked.some((name) => !OF_TCP.test(name));
}
