/** `google.protobuf.Struct` as JSON, for logs: what is long or deep is told at its beginning only. */
import { type MessageField, messageFields, textOf } from "./message-reader.ts";

const MOST_DEPTH = 8;
const MOST_CHARACTERS = 1_024;
type Json = null | number | string | boolean | Json[] | { [name: string]: Json };

/** @returns undefined for one without members. @throws MalformedMessageError */
export function structAsJson(message: Buffer): string | undefined {
  const struct = structOf(message, MOST_DEPTH);
  if (Object.keys(struct).length === 0) return undefined;
  const json = JSON.stringify(struct);
  return json.length <= MOST_CHARACTERS ? json : `${json.slice(0, MOST_CHARACTERS)}…`;
}

function structOf(message: Buffer, depth: number): { [name: string]: Json } {
  const entries: [string, Json][] = [];
  for (const field of messageFields(message))
    if (field.number === 1) entries.push(entryOf(field, depth));
  return Object.fromEntries(entries);
}

function entryOf({ bytes }: MessageField, depth: number): [string, Json] {
  let name = "";
  let value: Json = null;
  for (const field of messageFields(bytes)) {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 2) value = valueIn(field.bytes, depth - 1);
  }
  return [name, value];
}

function valueIn(message: Buffer, depth: number): Json {
  if (depth === 0) return "…";
  let value: Json = null;
  for (const field of messageFields(message)) {
    if (field.number === 2) value = field.double;
    else if (field.number === 3) value = textOf(field);
    else if (field.number === 4) value = field.integer !== 0;
    else if (field.number === 5) value = structOf(field.bytes, depth);
    else if (field.number === 6) value = listOf(field.bytes, depth);
  }
  return value;
}

function listOf(message: Buffer, depth: number): Json[] {
  const values: Json[] = [];
  for (const field of messageFields(message))
    if (field.number === 1) values.push(valueIn(field.bytes, depth - 1));
  return values;
}
