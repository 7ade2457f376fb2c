/** What `hauberk audit` asks, in the order of the two checklists that it comes from. */
import type { Practice } from "./practice.ts";
import {
  denyAllBaseline,
  denyByDefault,
  identitiesNotAddresses,
  policiesForServices,
} from "./practices/authorization.ts";
import {
  authorityRotation,
  customAuthority,
  shortLifetimes,
  watchedCertificates,
} from "./practices/certificates.ts";
import { noPlaintextLeft, strictMutualTls } from "./practices/mutual-tls.ts";
import { ownAccounts, regularAnalysis, watchedDenials } from "./practices/operation.ts";
import {
  closedAuthorizers,
  networkPolicies,
  rateLimits,
  requiredTokens,
} from "./practices/outside.ts";

export const PRACTICES: readonly Practice[] = [
  strictMutualTls,
  denyAllBaseline,
  customAuthority,
  authorityRotation,
  policiesForServices,
  identitiesNotAddresses,
  requiredTokens,
  closedAuthorizers,
  watchedDenials,
  regularAnalysis,
  ownAccounts,
  shortLifetimes,
  noPlaintextLeft,
  denyByDefault,
  rateLimits,
  watchedCertificates,
  networkPolicies,
];
