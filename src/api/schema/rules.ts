/**
 * The rules that Istio's resource definitions hold values to, beside their structure, in words of ours. A rule about
 * all keys of a map stands here for one key.
 * Source: https://github.com/istio/istio/blob/master/manifests/charts/base/files/crd-all.gen.yaml
 */
import type { Rule } from "./rule.ts";

export const DURATION: Rule = {
  expression: "duration(self) >= duration('1ms')",
  problem: "is {value}; expected a duration of at least 1ms, such as 5s or 1m30s",
};

export const PORT: Rule = {
  expression: "0 < self && self <= 65535",
  problem: "is {value}; expected a port, from 1 to 65535",
};

export const PORT_KEY: Rule = {
  expression: "0 < int(self) && int(self) <= 65535",
  problem: "is not a port: expected a number from 1 to 65535",
};

export const PORT_NAME: Rule = {
  expression: 'size(self) < 63 && self.matches("^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$")',
  problem:
    'is not the name of a port: expected at most 62 letters, digits and "-", with no "-" at either end',
};

export const NO_WILDCARD: Rule = {
  expression: '!self.contains("*")',
  problem: "{value} has a wildcard: labels are matched as they are written",
};

export const NOT_EMPTY: Rule = {
  expression: "self.size() != 0",
  problem: "must not be empty",
};

export const CERTAIN_HOST: Rule = {
  expression: 'self != "*"',
  problem: 'must not be "*": expected a host, or "*." and a domain',
};

export const OWN_NAMESPACE: Rule = {
  expression: "self.size() == 0",
  problem: "must not be given: a target in another namespace is not supported",
};

export const HTTP_URL: Rule = {
  expression: 'url(self).getScheme() in ["http", "https"]',
  problem: "is {value}; expected a URL that begins with http:// or https://",
};

export const MODULE_URL: Rule = {
  expression:
    'isURL(self) ? (url(self).getScheme() in ["", "http", "https", "oci", "file"]) : (isURL("http://" + self) && url("http://" + self).getScheme() in ["", "http", "https", "oci", "file"])',
  problem: "is {value}; expected a URL of http, https, oci or file, or one without a scheme",
};

export const PROBE_SCHEME: Rule = {
  expression: 'self in ["", "HTTP", "HTTPS"]',
  problem: "is {value}; expected HTTP or HTTPS",
};

export const SELECTOR_OR_TARGETS: Rule = {
  expression:
    "(has(self.selector) ? 1 : 0) + (has(self.targetRef) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
  problem: "must not be given together with another of selector, targetRef, targetRefs",
  about: ["selector", "targetRef", "targetRefs"],
};

export const WORKLOADS_OR_TARGETS: Rule = {
  expression: "(has(self.workloadSelector) ? 1 : 0) + (has(self.targetRefs) ? 1 : 0) <= 1",
  problem: "must not be given together with workloadSelector",
  about: ["targetRefs"],
};

export const PORTS_NEED_SELECTOR: Rule = {
  expression:
    "has(self.portLevelMtls) ? (((has(self.selector) && has(self.selector.matchLabels)) ? self.selector.matchLabels : {}).size() > 0) : true",
  problem: "needs a selector with labels: a policy of a mesh or namespace cannot have it",
  about: ["portLevelMtls"],
};

export const SERVICE_ACCOUNTS_ALONE: Rule = {
  expression:
    "(has(self.serviceAccounts) || has(self.notServiceAccounts)) ? (!has(self.principals) && !has(self.notPrincipals) && !has(self.namespaces) && !has(self.notNamespaces)) : true",
  problem: "must not be given together with principals or namespaces, nor with their not-forms",
  about: ["notServiceAccounts", "serviceAccounts"],
};

export const KEYS_OR_WHERE: Rule = {
  expression:
    "(has(self.jwksUri) ? 1 : 0) + (has(self.jwks_uri) ? 1 : 0) + (has(self.jwks) ? 1 : 0) <= 1",
  problem: "must not be given together with another of jwks, jwksUri",
  about: ["jwks_uri", "jwksUri", "jwks"],
};

export const VALUE_OR_HOST: Rule = {
  expression: '(has(self.valueFrom) ? self.valueFrom : "") != "HOST" || !has(self.value)',
  problem: "must not be given: valueFrom is HOST",
  about: ["value"],
};

export const UPSERT_NEEDS_VALUE: Rule = {
  expression:
    '((has(self.operation) ? self.operation : "") == "UPSERT") ? (self.value != "") : true',
  problem: "is UPSERT, which needs a value",
  about: ["operation"],
};

export const REMOVE_WITHOUT_VALUE: Rule = {
  expression: '((has(self.operation) ? self.operation : "") == "REMOVE") ? !has(self.value) : true',
  problem: "must not be given: operation is REMOVE",
  about: ["value"],
};

export const WAYPOINT_CONTEXT: Rule = {
  expression:
    'has(self.context) ? ((self.context == "WAYPOINT") ? has(self.waypoint) : !has(self.waypoint)) : !has(self.waypoint)',
  problem: "must have waypoint exactly when context is WAYPOINT",
};
