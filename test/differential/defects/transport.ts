/** Who is let as far as the rules, and what they are told of a request. */
import type { OwnTrustDomains } from "../../kit/compiled-engine.ts";
import { type Json, objectAt, type Rewrite, rewritten } from "../json-rewrite.ts";
import type { Caller } from "../question.ts";
import { type Defect, settings, spoiled, without } from "./defect.ts";
import { withoutGuard } from "./order.ts";

const MANAGER = "HttpConnectionManager";

const certificateOptional = settings("DownstreamTlsContext", (config) =>
  config["requireClientCertificate"] === true
    ? { ...config, requireClientCertificate: false }
    : config,
);

/** What is asked for by name are rules alone. */
const withoutRules: Rewrite = (value) =>
  value["configDiscovery"] === undefined ? value : undefined;

function isOfForeignDomain(caller: Caller, { trustDomain, trustDomainAliases }: OwnTrustDomains) {
  if (caller.kind !== "identity") return false;
  const domains = [trustDomain, ...trustDomainAliases];
  return !domains.some((domain) => caller.uri.startsWith(`spiffe://${domain}/`));
}

export const TRANSPORT_DEFECTS: readonly Defect[] = [
  {
    name: "callers of every trust domain are taken",
    spoil: spoiled((value) => without(value, "matchTypedSubjectAltNames")),
    isAsked: ({ set, calls }) => calls.some(({ caller }) => isOfForeignDomain(caller, set.trust)),
  },
  {
    name: "callers need no certificate, and none is missed by the rules",
    spoil: (translated) => withoutGuard(certificateOptional(translated)),
  },
  {
    name: "STRICT takes plaintext, of which no rule asks",
    spoil: spoiled((value) => {
      const chains = value["filterChains"];
      if (!Array.isArray(chains)) return value;
      const isPlain = (chain: Json): boolean =>
        objectAt(chain, "filterChainMatch")?.["transportProtocol"] === "raw_buffer";
      if (chains.some(isPlain)) return value;
      const taken = chains.map((chain: Json) => ({
        ...(rewritten(without(chain, "transportSocket"), withoutRules) as Json),
        name: `${String(chain["name"])}/plaintext`,
        filterChainMatch: {
          ...without(objectAt(chain, "filterChainMatch") ?? {}, "applicationProtocols"),
          transportProtocol: "raw_buffer",
        },
      }));
      return { ...value, filterChains: [...chains, ...taken.slice(0, 1)] };
    }),
  },
  {
    name: "paths are not normalised",
    spoil: settings(MANAGER, (config) =>
      config["normalizePath"] === true
        ? {
            ...without(config, "mergeSlashes", "pathWithEscapedSlashesAction"),
            normalizePath: false,
          }
        : config,
    ),
  },
  {
    name: "slashes are not merged",
    spoil: settings(MANAGER, (config) => without(config, "mergeSlashes")),
  },
  {
    name: "X-Forwarded-For is not believed",
    spoil: settings(MANAGER, (config) => ({ ...config, useRemoteAddress: true })),
  },
];
