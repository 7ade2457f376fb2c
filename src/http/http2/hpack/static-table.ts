/** The static table of HPACK (RFC 7541 appendix A), also as octets that stand ready at the head of each field arena. */
import { FIELD_IDS, fieldId, type KnownFieldName } from "../../field-names.ts";

type Entry = readonly [name: KnownFieldName, value?: string];

/** Index 1 first. */
export const STATIC_ENTRIES: readonly Entry[] = [
  [":authority"],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset"],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language"],
  ["accept-ranges"],
  ["accept"],
  ["access-control-allow-origin"],
  ["age"],
  ["allow"],
  ["authorization"],
  ["cache-control"],
  ["content-disposition"],
  ["content-encoding"],
  ["content-language"],
  ["content-length"],
  ["content-location"],
  ["content-range"],
  ["content-type"],
  ["cookie"],
  ["date"],
  ["etag"],
  ["expect"],
  ["expires"],
  ["from"],
  ["host"],
  ["if-match"],
  ["if-modified-since"],
  ["if-none-match"],
  ["if-range"],
  ["if-unmodified-since"],
  ["last-modified"],
  ["link"],
  ["location"],
  ["max-forwards"],
  ["proxy-authenticate"],
  ["proxy-authorization"],
  ["range"],
  ["referer"],
  ["refresh"],
  ["retry-after"],
  ["server"],
  ["set-cookie"],
  ["strict-transport-security"],
  ["transfer-encoding"],
  ["user-agent"],
  ["vary"],
  ["via"],
  ["www-authenticate"],
];

export const STATIC_LENGTH = 61;

/** All names and values, one after the other. */
export const STATIC_TEXT: Buffer = Buffer.from(
  STATIC_ENTRIES.map(([name, value = ""]) => name + value).join(""),
  "latin1",
);
/** By index: where the entry's name begins and ends in `STATIC_TEXT`, and where its value ends. */
export const STATIC_NAME_START: Uint16Array = new Uint16Array(STATIC_LENGTH + 1);
export const STATIC_NAME_END: Uint16Array = new Uint16Array(STATIC_LENGTH + 1);
export const STATIC_VALUE_END: Uint16Array = new Uint16Array(STATIC_LENGTH + 1);
/** By index: the id of the entry's name. */
export const STATIC_ID: Uint8Array = new Uint8Array(STATIC_LENGTH + 1);
/** By id of a name: the first index that has it; 0 when none does. */
export const STATIC_INDEX_OF: Uint8Array = new Uint8Array(FIELD_IDS);

let end = 0;
for (const [at, [name, value = ""]] of STATIC_ENTRIES.entries()) {
  const index = at + 1;
  STATIC_NAME_START[index] = end;
  STATIC_NAME_END[index] = end + name.length;
  end += name.length + value.length;
  STATIC_VALUE_END[index] = end;
  const id = fieldId(name);
  STATIC_ID[index] = id;
  STATIC_INDEX_OF[id] ||= index;
}
