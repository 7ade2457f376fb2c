/** From what a rule says of its keys to the document that holds them: `jwksUri`, or what the issuer tells (JWT-80, OpenID Connect Discovery). */

import { readKeySet } from "../../api/json-web-key-set.ts";
import { type JsonObject, readJsonObject } from "../../jwt/strict-json.ts";
import { readTokenKeys } from "../../jwt/token-keys.ts";
import type { TokenKeySource } from "../../policy/token-key-source.ts";
import { FetchDocumentError } from "./fetch-document.ts";

/**
 * @returns the key set as JSON, with what a verifier needs and nothing else (JWT-87)
 * @throws FetchDocumentError
 */
export async function findKeySet(
  source: TokenKeySource,
  fetchText: (uri: string) => Promise<string>,
): Promise<string> {
  const uri = source.from === "uri" ? source.uri : await discover(source.issuer, fetchText);
  const text = await fetchText(uri);
  if (!Array.isArray(readJsonObject(text)?.["keys"]))
    throw new FetchDocumentError(`${uri} is no key set: expected a JSON object with a list "keys"`);
  const usable = usableKeys(text);
  if (readTokenKeys(usable).length === 0)
    throw new FetchDocumentError(`${uri} has no key that tokens can be verified with`);
  return usable;
}

/** One bad key, or one of a kind that nobody here knows, spoils no other. */
function usableKeys(text: string): string {
  const { keys } = readJsonObject(text) ?? {};
  const good = (Array.isArray(keys) ? keys : []).flatMap((key: unknown) => {
    const read = readKeySet(JSON.stringify(key));
    return typeof read === "string" ? [] : keysIn(read.verifyingJwks);
  });
  return JSON.stringify({ keys: good });
}

function keysIn(jwks: string): readonly unknown[] {
  const { keys } = readJsonObject(jwks) ?? {};
  return Array.isArray(keys) ? keys : [];
}

async function discover(
  issuer: string,
  fetchText: (uri: string) => Promise<string>,
): Promise<string> {
  const uri = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
  if (!URL.canParse(uri))
    throw new FetchDocumentError(
      `the issuer ${JSON.stringify(issuer)} is no URL: give jwksUri or jwks`,
    );
  const configuration: JsonObject = readJsonObject(await fetchText(uri)) ?? {};
  const { jwks_uri: found } = configuration;
  if (typeof found !== "string" || !URL.canParse(found))
    throw new FetchDocumentError(`${uri} has no jwks_uri`);
  return found;
}
