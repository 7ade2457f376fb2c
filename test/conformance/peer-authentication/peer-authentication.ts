/** PeerAuthentication, and policies of connections, against the tables of istiod and of ztunnel where sidecars mean the same. */
import type { SuiteRunner } from "../suite-runner.ts";
import { excludedTable } from "../table-runner.ts";
import { connectionMatching } from "./connection-matching.ts";
import { connectionPolicies } from "./connection-policies.ts";
import { effectiveMode } from "./effective-mode.ts";
import { namespaceFilter } from "./namespace-filter.ts";
import { policyConversion } from "./policy-conversion.ts";
import { selection } from "./selection.ts";
import { stringMatch } from "./string-match.ts";
import { tlsParameters } from "./tls-parameters.ts";

export const peerAuthentication: SuiteRunner = {
  selection,
  "namespace-filter": namespaceFilter,
  "effective-mode": effectiveMode,
  "tls-parameters": tlsParameters,
  "ztunnel-conversion": policyConversion,
  "ztunnel-policy-status": excludedTable(
    "what istiod tells of policies at ztunnel; a sidecar's are told by VAL-30 (AP-66, AP-140)",
  ),
  "ztunnel-rbac": connectionMatching,
  "ztunnel-string-match": stringMatch,
  "ztunnel-policy-evaluation": connectionPolicies,
};
