/**
 * The structure of an AuthorizationPolicy.
 * Source: https://istio.io/latest/docs/reference/config/security/authorization-policy/
 */
import { targetRef, targetRefs } from "../parts/target-reference.ts";
import { workloadSelector } from "../parts/workload-selector.ts";
import { SELECTOR_OR_TARGETS, SERVICE_ACCOUNTS_ALONE } from "../rules.ts";
import { choice, list, type ObjectSchema, object, resource, text } from "../schema.ts";

const source = object(
  {
    ipBlocks: list(text()),
    namespaces: list(text()),
    notIpBlocks: list(text()),
    notNamespaces: list(text()),
    notPrincipals: list(text()),
    notRemoteIpBlocks: list(text()),
    notRequestPrincipals: list(text()),
    notServiceAccounts: list(text({ maxLength: 320 }), { maxItems: 16 }),
    notTrustDomains: list(text()),
    principals: list(text()),
    remoteIpBlocks: list(text()),
    requestPrincipals: list(text()),
    serviceAccounts: list(text({ maxLength: 320 }), { maxItems: 16 }),
    trustDomains: list(text()),
  },
  { rules: [SERVICE_ACCOUNTS_ALONE] },
);

const operation = object({
  hosts: list(text()),
  methods: list(text()),
  notHosts: list(text()),
  notMethods: list(text()),
  notPaths: list(text()),
  notPorts: list(text()),
  paths: list(text()),
  ports: list(text()),
});

const authorizationRule = object({
  from: list(object({ source }), { maxItems: 512 }),
  to: list(object({ operation })),
  when: list(
    object({ key: text(), notValues: list(text()), values: list(text()) }, { required: ["key"] }),
  ),
});

const spec = object(
  {
    action: choice(["ALLOW", "DENY", "AUDIT", "CUSTOM"]),
    provider: object({ name: text() }),
    rules: list(authorizationRule, { maxItems: 512 }),
    selector: workloadSelector,
    targetRef,
    targetRefs,
  },
  { rules: [SELECTOR_OR_TARGETS] },
);

export const authorizationPolicySchema: ObjectSchema = resource(spec, "optional");
