/** Which attribute of traffic each field of a rule, and each key of `when`, asks about (AP-45..AP-57, AP-80..AP-98). */
import type { OperationField, SourceField } from "../api/authorization-policy.ts";
import { isWhenKey, type WhenKey } from "../api/when-keys.ts";
import { headerAttribute } from "./header-attribute.ts";
import { HOST } from "./host-attribute.ts";
import { claimAttribute, claimNames, REQUEST_PRINCIPAL } from "./token-attribute.ts";
import {
  DESTINATION_ADDRESS,
  DESTINATION_PORT,
  FILTER_METADATA,
  METHOD,
  NAMESPACE,
  PATH,
  PRINCIPAL,
  REMOTE_ADDRESS,
  SERVER_NAME,
  SERVICE_ACCOUNT,
  SOURCE_ADDRESS,
  TRUST_DOMAIN,
  type TrafficAttribute,
} from "./traffic-attribute.ts";

/** A field demands one of its values, or, as the `not…` twin of another, none of them (AP-31). */
export interface RuleField {
  readonly attribute: TrafficAttribute;
  readonly demands: "one" | "none";
}

const one = (attribute: TrafficAttribute): RuleField => ({ attribute, demands: "one" });
const none = (attribute: TrafficAttribute): RuleField => ({ attribute, demands: "none" });

export const SOURCE_RULE_FIELDS: Readonly<Record<SourceField, RuleField>> = {
  principals: one(PRINCIPAL),
  notPrincipals: none(PRINCIPAL),
  requestPrincipals: one(REQUEST_PRINCIPAL),
  notRequestPrincipals: none(REQUEST_PRINCIPAL),
  namespaces: one(NAMESPACE),
  notNamespaces: none(NAMESPACE),
  serviceAccounts: one(SERVICE_ACCOUNT),
  notServiceAccounts: none(SERVICE_ACCOUNT),
  ipBlocks: one(SOURCE_ADDRESS),
  notIpBlocks: none(SOURCE_ADDRESS),
  remoteIpBlocks: one(REMOTE_ADDRESS),
  notRemoteIpBlocks: none(REMOTE_ADDRESS),
  trustDomains: one(TRUST_DOMAIN),
  notTrustDomains: none(TRUST_DOMAIN),
};

export const OPERATION_RULE_FIELDS: Readonly<Record<OperationField, RuleField>> = {
  hosts: one(HOST),
  notHosts: none(HOST),
  ports: one(DESTINATION_PORT),
  notPorts: none(DESTINATION_PORT),
  methods: one(METHOD),
  notMethods: none(METHOD),
  paths: one(PATH),
  notPaths: none(PATH),
};

const CONDITION_ATTRIBUTES: Readonly<Record<WhenKey, TrafficAttribute>> = {
  "source.ip": SOURCE_ADDRESS,
  "remote.ip": REMOTE_ADDRESS,
  "source.namespace": NAMESPACE,
  "source.principal": PRINCIPAL,
  "source.serviceAccount": SERVICE_ACCOUNT,
  "source.trustDomain": TRUST_DOMAIN,
  "request.auth.principal": REQUEST_PRINCIPAL,
  "request.auth.audiences": claimAttribute(["aud"]),
  "request.auth.presenter": claimAttribute(["azp"]),
  "destination.ip": DESTINATION_ADDRESS,
  "destination.port": DESTINATION_PORT,
  "connection.sni": SERVER_NAME,
};
const HEADER_KEY = /^request\.headers\[(.+)\]$/;
const CLAIM_KEY = /^request\.auth\.claims(\[.+\])$/;
const FILTER_KEY = /^experimental\.envoy\.filters\.[^[]+\[.+\]$/;

/**
 * What a key of `when` asks about.
 *
 * @returns undefined for a key that is not known (AP-37, AP-96, AP-97)
 */
export function conditionAttribute(key: string): TrafficAttribute | undefined {
  const header = HEADER_KEY.exec(key)?.[1];
  if (header !== undefined) return headerAttribute(header);
  const claim = CLAIM_KEY.exec(key)?.[1];
  const names = claim === undefined ? undefined : claimNames(claim);
  if (names !== undefined) return claimAttribute(names);
  if (FILTER_KEY.test(key)) return FILTER_METADATA;
  return isWhenKey(key) ? CONDITION_ATTRIBUTES[key] : undefined;
}
