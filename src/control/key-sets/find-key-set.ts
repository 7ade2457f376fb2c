/** From what a rule says of its keys to the document that holds them: `jwksUri`, or what the issuer tells (JWT-80, OpenID Connect Discovery). */

import { readKeySet } from "../../api/json-web-key-set.ts";
import { type JsonObject, readJsonObject } from "../../jwt/strict-json.ts";
import { readTokenKeys } from "../../jwt/token-keys.ts";
import type { TokenKeySource } from "../../policy/token-key-source.ts";
import { FetchDocumentError } from "./fetch-document.ts";

/** Of the keys alone, in bytes: they go to every sidecar that needs them, and 256 keys of the usual kinds fit. */
const MAX_USABLE_BYTES = 65_536;

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
  const { usable, secrets } = usableKeys(text);
  const bytes = Buffer.byteLength(usable);
  if (bytes > MAX_USABLE_BYTES)
    throw new FetchDocumentError(
      `${uri} has ${bytes} bytes of keys, expected at most ${MAX_USABLE_BYTES}`,
    );
  if (readTokenKeys(usable).length === 0)
    throw new FetchDocumentError(
      `${uri} has no key that tokens can be verified with${secrets > 0 ? ": secrets (oct) are read from jwks only" : ""}`,
    );
  return usable;
}

/**
 * One bad key, or one of a kind that nobody here knows, spoils no other. A secret that anybody could have fetched is none: whoever has
 * it could sign.
 */
function usableKeys(text: string): { readonly usable: string; readonly secrets: number } {
  const good = keysIn(text).flatMap((key) => {
    const read = readKeySet(JSON.stringify(key));
    return typeof read === "string" ? [] : keysIn(read.verifyingJwks);
  });
  const keys = good.filter((key) => !isSecret(key));
  return { usable: JSON.stringify({ keys }), secrets: good.length - keys.length };
}

function isSecret(key: unknown): boolean {
  return typeof key === "object" && key !== null && "kty" in key && key.kty === "oct";
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
  const { jwks_uri: found, issuer: told } = configuration;
  if (told !== undefined && !isSameIssuer(told, issuer))
    throw new FetchDocumentError(
      `${uri} is of the issuer ${JSON.stringify(told)}, expected ${JSON.stringify(issuer)}`,
    );
  if (typeof found !== "string" || !URL.canParse(found))
    throw new FetchDocumentError(`${uri} has no jwks_uri`);
  if (new URL(uri).protocol === "https:" && new URL(found).protocol !== "https:")
    throw new FetchDocumentError(`${uri} leads from https to ${found}`);
  return found;
}

/** OpenID Connect Discovery section 4.3; a slash at the end is often written and seldom meant. */
function isSameIssuer(told: unknown, asked: string): boolean {
  return typeof told === "string" && told.replace(/\/$/, "") === asked.replace(/\/$/, "");
}
