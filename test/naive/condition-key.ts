/** Which question each key of `when` asks (AP-80..AP-98). */
import {
  askDestinationAddress,
  askDestinationPort,
  askRemoteAddress,
  askSourceAddress,
} from "./address-questions.ts";
import type { Question } from "./asked.ts";
import {
  askNamespace,
  askPrincipal,
  askServiceAccount,
  askTrustDomain,
} from "./identity-questions.ts";
import { askHeader, askServerName } from "./request-questions.ts";
import { askClaim, askRequestPrincipal } from "./token-questions.ts";

const PLAIN_KEYS: ReadonlyMap<string, Question> = new Map([
  ["source.ip", askSourceAddress],
  ["remote.ip", askRemoteAddress],
  ["source.namespace", askNamespace],
  ["source.principal", askPrincipal],
  ["source.serviceAccount", askServiceAccount],
  ["source.trustDomain", askTrustDomain],
  ["request.auth.principal", askRequestPrincipal],
  ["request.auth.audiences", askClaim(["aud"])],
  ["request.auth.presenter", askClaim(["azp"])],
  ["destination.ip", askDestinationAddress],
  ["destination.port", askDestinationPort],
  ["connection.sni", askServerName],
]);

const HEADERS = "request.headers";
const CLAIMS = "request.auth.claims";
const METADATA = "experimental.envoy.filters.";

/** A key that nobody knows, or whose brackets cannot be read, makes no condition (AP-36, AP-37, AP-97). */
const untranslatable: Question = () => "untranslatable";

/** No other filter runs here, so no metadata of one is ever present (AP-95). */
const askMetadata: Question = () => false;

export function questionOfKey(key: string): Question {
  const plain = PLAIN_KEYS.get(key);
  if (plain !== undefined) return plain;
  if (key.startsWith(HEADERS)) return headerQuestion(key.slice(HEADERS.length));
  if (key.startsWith(CLAIMS)) return claimQuestion(key.slice(CLAIMS.length));
  return key.startsWith(METADATA) && key.includes("[") ? askMetadata : untranslatable;
}

function headerQuestion(brackets: string): Question {
  const name = insideBrackets(brackets);
  return name === undefined ? untranslatable : askHeader(name);
}

/** JWT-64: brackets that are not well formed hold one name. */
function claimQuestion(brackets: string): Question {
  if (/^(\[[^[\]]*\])+$/.test(brackets)) return askClaim(brackets.slice(1, -1).split("]["));
  const name = insideBrackets(brackets);
  return name === undefined ? untranslatable : askClaim([name]);
}

function insideBrackets(brackets: string): string | undefined {
  return brackets.startsWith("[") && brackets.endsWith("]") ? brackets.slice(1, -1) : undefined;
}
