/** Certificate requests that must be refused, each kind with the reason; what is random in them comes from dice. */
import { ATTRIBUTE_KINDS } from "./attributes.ts";
import { FIELD_KINDS } from "./fields.ts";
import type { HostileKind } from "./hostile-kind.ts";
import { KEY_KINDS } from "./keys.ts";
import { LENGTH_KINDS } from "./lengths.ts";
import { PEM_KINDS } from "./pem.ts";
import { SIGNATURE_KINDS } from "./signatures.ts";

export const HOSTILE_KINDS: readonly HostileKind[] = [
  ...SIGNATURE_KINDS,
  ...KEY_KINDS,
  ...LENGTH_KINDS,
  ...FIELD_KINDS,
  ...ATTRIBUTE_KINDS,
  ...PEM_KINDS,
];
