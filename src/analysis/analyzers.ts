/** All analyzers, in the order in which they are asked. */
import { applicationUsers } from "./analyzers/application-users.ts";
import { authorizationPolicies } from "./analyzers/authorization-policies.ts";
import { automaticImages } from "./analyzers/automatic-images.ts";
import { claimRoutes } from "./analyzers/claim-routes.ts";
import { conflictingGateways } from "./analyzers/conflicting-gateways.ts";
import { conflictingMeshHosts } from "./analyzers/conflicting-mesh-hosts.ts";
import { deprecatedFields } from "./analyzers/deprecated-fields.ts";
import { destinationHosts } from "./analyzers/destination-hosts.ts";
import { destinationRuleAuthorities } from "./analyzers/destination-rule-authorities.ts";
import { destinationRuleSubsets } from "./analyzers/destination-rule-subsets.ts";
import { destinationSubsets } from "./analyzers/destination-subsets.ts";
import { envoyFilterOperations } from "./analyzers/envoy-filter-operations.ts";
import { externalControlPlanes } from "./analyzers/external-control-planes.ts";
import { gatewayApiVersions } from "./analyzers/gateway-api-versions.ts";
import { gatewayCertificates } from "./analyzers/gateway-certificates.ts";
import { gatewayPorts } from "./analyzers/gateway-ports.ts";
import { gatewaySecrets } from "./analyzers/gateway-secrets.ts";
import { gatewaySelectors } from "./analyzers/gateway-selectors.ts";
import { httpOnTcp } from "./analyzers/http-on-tcp.ts";
import { injectedImages } from "./analyzers/injected-images.ts";
import { injection } from "./analyzers/injection.ts";
import { unrestrictedKeyFetches } from "./analyzers/jwks-fetches.ts";
import { alphaAnnotations, annotationsOfKubernetes } from "./analyzers/kubernetes-annotations.ts";
import { negativeConditions } from "./analyzers/negative-conditions.ts";
import { policyEffects } from "./analyzers/policy-effects.ts";
import { portNames } from "./analyzers/port-names.ts";
import { requiredTokens } from "./analyzers/required-tokens.ts";
import { routeGateways } from "./analyzers/route-gateways.ts";
import { ruleOverlaps } from "./analyzers/rule-overlaps.ts";
import { ruleValues } from "./analyzers/rule-values.ts";
import { schemaValidation } from "./analyzers/schema-validation.ts";
import { serviceAssociation } from "./analyzers/service-association.ts";
import { serviceEntryAddresses } from "./analyzers/service-entry-addresses.ts";
import { serviceEntryProtocols } from "./analyzers/service-entry-protocols.ts";
import { sharedAccounts } from "./analyzers/shared-accounts.ts";
import { sidecarSelectors } from "./analyzers/sidecar-selectors.ts";
import { splitRules } from "./analyzers/split-rules.ts";
import { telemetryLightstep, telemetryProviders } from "./analyzers/telemetry-providers.ts";
import { telemetryDefaults, telemetrySelectors } from "./analyzers/telemetry-selectors.ts";
import { webhooks } from "./analyzers/webhooks.ts";
import type { Analyzer } from "./finding.ts";

/** Those that a plain run asks. */
export const ANALYZERS: readonly Analyzer[] = [
  annotationsOfKubernetes,
  unrestrictedKeyFetches,
  authorizationPolicies,
  negativeConditions,
  serviceAssociation,
  applicationUsers,
  destinationRuleAuthorities,
  destinationRuleSubsets,
  deprecatedFields,
  envoyFilterOperations,
  externalControlPlanes,
  gatewayPorts,
  gatewayCertificates,
  gatewaySecrets,
  conflictingGateways,
  injection,
  injectedImages,
  automaticImages,
  gatewaySelectors,
  gatewayApiVersions,
  portNames,
  sidecarSelectors,
  conflictingMeshHosts,
  destinationHosts,
  destinationSubsets,
  routeGateways,
  claimRoutes,
  serviceEntryAddresses,
  serviceEntryProtocols,
  webhooks,
  telemetryProviders,
  telemetrySelectors,
  telemetryDefaults,
  telemetryLightstep,
  schemaValidation,
  ruleValues,
  splitRules,
  httpOnTcp,
  policyEffects,
  ruleOverlaps,
  requiredTokens,
  sharedAccounts,
];

/** Those that are asked by name alone, since they tell of what nobody wrote. */
export const ANALYZERS_BY_NAME: readonly Analyzer[] = [alphaAnnotations];
