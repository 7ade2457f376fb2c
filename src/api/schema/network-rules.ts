/**
 * The rules of resources that name workloads, services and gateways, beside their structure, in words of ours.
 * Source: https://github.com/istio/istio/blob/master/manifests/charts/base/files/crd-all.gen.yaml
 */
import type { Rule } from "./rule.ts";

export const SOCKET_PATH: Rule = {
  expression:
    'self.startsWith("unix://") ? (self.substring(7, 8) == "/" || self.substring(7, 8) == "@") : true',
  problem: 'is {value}; expected an absolute path, or "@" and a name, after unix://',
};

export const SOCKET_IS_NO_FOLDER: Rule = {
  expression: 'self.startsWith("unix://") ? !self.endsWith("/") : true',
  problem: "is {value}, a folder; expected a socket",
};

export const SOCKET_WITHOUT_PORTS: Rule = {
  expression:
    '(has(self.address) ? self.address : "").startsWith("unix://") ? !has(self.ports) : true',
  problem: "must not be given: the address is a Unix socket",
  about: ["ports"],
};

export const ADDRESS_OR_NETWORK: Rule = {
  expression: "has(self.address) || has(self.network)",
  problem: "must have an address, or a network",
};

export const DISTINCT_PORT_NUMBERS: Rule = {
  expression: "self.all(l1, self.exists_one(l2, l1.number == l2.number))",
  problem: "must not have a port number twice",
};

export const SELECTOR_OR_ENDPOINTS: Rule = {
  expression: "(has(self.workloadSelector) ? 1 : 0) + (has(self.endpoints) ? 1 : 0) <= 1",
  problem: "must not be given together with workloadSelector",
  about: ["endpoints"],
};

export const BLOCKS_WITHOUT_RESOLUTION: Rule = {
  expression:
    '!((has(self.addresses) ? self.addresses : []).exists(k, k.contains("/")) && !((has(self.resolution) ? self.resolution : "NONE") in ["STATIC", "NONE"]))',
  problem: "has a block of addresses, which needs resolution NONE or STATIC",
  about: ["addresses"],
};

export const ENDPOINTS_WITH_RESOLUTION: Rule = {
  expression:
    '((has(self.resolution) ? self.resolution : "NONE") == "NONE") ? !has(self.endpoints) : true',
  problem: "must not be given: resolution is NONE",
  about: ["endpoints"],
};

export const ONE_ROUND_ROBIN_ENDPOINT: Rule = {
  expression:
    '((has(self.resolution) ? self.resolution : "") == "DNS_ROUND_ROBIN") ? ((has(self.endpoints) ? self.endpoints : []).size() <= 1) : true',
  problem: "must have at most one item: resolution is DNS_ROUND_ROBIN",
  about: ["endpoints"],
};

export const CERTIFICATES_OR_CREDENTIALS: Rule = {
  expression: "(has(self.tlsCertificates) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
  problem: "must not be given together with credentialNames",
  about: ["tlsCertificates"],
};

export const ONE_OR_MORE_CREDENTIALS: Rule = {
  expression: "(has(self.credentialName) ? 1 : 0) + (has(self.credentialNames) ? 1 : 0) <= 1",
  problem: "must not be given together with credentialName",
  about: ["credentialNames"],
};
