/** Which question each field of a source and an operation asks (AP-45..AP-57); its `not` twin asks the same. */
import { askDestinationPort, askRemoteAddress, askSourceAddress } from "./address-questions.ts";
import type { Question } from "./asked.ts";
import {
  askNamespace,
  askPrincipal,
  askServiceAccount,
  askTrustDomain,
} from "./identity-questions.ts";
import { askPath } from "./path-question.ts";
import { askHost, askMethod } from "./request-questions.ts";
import { askRequestPrincipal } from "./token-questions.ts";

export interface FieldQuestion {
  readonly field: string;
  readonly notField: string;
  readonly question: Question;
  /** As it is told to whoever observes. */
  readonly name: string;
}

export const SOURCE_QUESTIONS: readonly FieldQuestion[] = [
  fieldQuestion("from.source.principals", askPrincipal),
  fieldQuestion("from.source.requestPrincipals", askRequestPrincipal),
  fieldQuestion("from.source.namespaces", askNamespace),
  fieldQuestion("from.source.serviceAccounts", askServiceAccount),
  fieldQuestion("from.source.trustDomains", askTrustDomain),
  fieldQuestion("from.source.ipBlocks", askSourceAddress),
  fieldQuestion("from.source.remoteIpBlocks", askRemoteAddress),
];

export const OPERATION_QUESTIONS: readonly FieldQuestion[] = [
  fieldQuestion("to.operation.hosts", askHost),
  fieldQuestion("to.operation.methods", askMethod),
  fieldQuestion("to.operation.paths", askPath),
  fieldQuestion("to.operation.ports", askDestinationPort),
];

function fieldQuestion(name: string, question: Question): FieldQuestion {
  const field = name.slice(name.lastIndexOf(".") + 1);
  const notField = `not${field.charAt(0).toUpperCase()}${field.slice(1)}`;
  return { field, notField, question, name };
}
