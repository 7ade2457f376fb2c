/**
 * `hauberk.jwks` of the mesh configuration: from where keys of token issuers may be fetched beside public addresses, and whose word
 * counts there. Ours: Istio has flags of its control plane for it.
 */
import { authoritiesIn } from "./authorities-in.ts";
import { type Cidr, formatCidr, parseCidr } from "./cidr.ts";
import type { Fields } from "./decoder.ts";
import { quoted } from "./quoted.ts";
import { RATE_LIMIT_SETTINGS_SCHEMA } from "./rate-limit-settings.ts";
import { list, type ObjectSchema, object, text } from "./schema/schema.ts";
import { textsIn } from "./webhook/written-values.ts";

export interface TokenKeySettings {
  /** Ranges that are not public and may be asked all the same, as `10.0.0.0/8`. */
  readonly allowedAddresses: readonly string[];
  /** PEM, one text each, of authorities that are trusted beside the system's. */
  readonly authoritiesPem: readonly string[];
}

export const DEFAULT_TOKEN_KEY_SETTINGS: TokenKeySettings = {
  allowedAddresses: [],
  authoritiesPem: [],
};

export const OWN_SETTINGS_SCHEMA: ObjectSchema = object({
  jwks: object({ allowedAddresses: list(text()), certificateAuthorities: text() }),
  rateLimits: RATE_LIMIT_SETTINGS_SCHEMA,
});

/** @param own the section `hauberk` */
export function readTokenKeySettings(own: Fields): TokenKeySettings {
  const jwks = own.section("jwks");
  return {
    allowedAddresses: addresses(jwks),
    authoritiesPem: authoritiesIn(jwks, "certificateAuthorities"),
  };
}

/** As ranges again. */
export function allowedRanges({ allowedAddresses }: TokenKeySettings): readonly Cidr[] {
  return allowedAddresses.flatMap((range) => parseCidr(range) ?? []);
}

function addresses(jwks: Fields): readonly string[] {
  return textsIn(jwks, "allowedAddresses").flatMap((written, item) => {
    const range = parseCidr(written);
    if (range !== undefined) return [formatCidr(range)];
    const problem = `${quoted(written)} is neither an address nor a range, as in 10.0.0.0/8`;
    jwks.report({ name: "allowedAddresses", item }, problem);
    return [];
  });
}
