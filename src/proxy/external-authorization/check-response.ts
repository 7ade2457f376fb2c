/**
 * Reads `envoy.service.auth.v3.CheckResponse` (EA-27, EA-28).
 * Source: `api/envoy/service/auth/v3/external_auth.proto` and `ext_authz_grpc_impl.cc` of envoyproxy/envoy
 */
import { type AuthorizerVerdict, failed, type RequestChanges } from "./authorizer-verdict.ts";
import { denial, WORDLESS_DENIAL } from "./denial.ts";
import { checkChanges, type FieldChange, isOwnName } from "./field-changes.ts";
import { type MessageField, messageFields, octetsOf, textOf } from "./message-reader.ts";
import { structAsJson } from "./struct-json.ts";

const DENIED_STATUS = 403;

/** What cannot be read is no answer: nobody is let in by it. */
export function readCheckResponse(message: Buffer): AuthorizerVerdict {
  try {
    return verdictOf(message);
  } catch (error) {
    if (error instanceof RangeError) return failed(`its answer cannot be used: ${error.message}`);
    throw error;
  }
}

interface Parts {
  status: number;
  ok: Buffer | undefined;
  denied: Buffer | undefined;
  hasError: boolean;
  metadata: Buffer | undefined;
}

function verdictOf(message: Buffer): AuthorizerVerdict {
  const parts = partsOf(message);
  // One that tells what to say to whom it denies, and forgets to say that it denies, does not mean to allow.
  if (parts.status !== 0 || parts.denied !== undefined || parts.hasError) {
    if (parts.hasError) return failed("it says that it has failed itself");
    return deniedInItsWords(parts);
  }
  const { changes, ownMetadata } = okChanges(parts.ok ?? NOTHING);
  const struct = ownMetadata ?? parts.metadata;
  return { outcome: "allowed", changes, metadata: struct && structAsJson(struct) };
}

/** A denial stays one, also where its words cannot be passed on: what somebody reflects into them must not let him in. */
function deniedInItsWords({ denied, metadata }: Parts): AuthorizerVerdict {
  try {
    const answer = deniedAnswer(denied);
    return { outcome: "denied", answer, metadata: metadata && structAsJson(metadata) };
  } catch (error) {
    if (error instanceof RangeError) return WORDLESS_DENIAL;
    throw error;
  }
}

const NOTHING = Buffer.alloc(0);

function partsOf(message: Buffer): Parts {
  const parts: Parts = {
    status: 0,
    ok: undefined,
    denied: undefined,
    hasError: false,
    metadata: undefined,
  };
  for (const field of messageFields(message)) {
    // Of a message in several parts the last code counts, and one that says none leaves it.
    if (field.number === 1) parts.status = statusCode(field.bytes) || parts.status;
    else if (field.number === 2) parts.denied = field.bytes;
    else if (field.number === 3) parts.ok = field.bytes;
    else if (field.number === 4) parts.metadata = field.bytes;
    else if (field.number === 5) parts.hasError = true;
  }
  return parts;
}

/** Of `google.rpc.Status`, and of `HttpStatus`. */
function statusCode(message: Buffer): number {
  let code = 0;
  for (const { number, integer } of messageFields(message)) if (number === 1) code = integer;
  return code;
}

function deniedAnswer(message: Buffer | undefined) {
  let status = 0;
  let body = "";
  const changes: FieldChange[] = [];
  for (const field of messageFields(message ?? NOTHING)) {
    if (field.number === 1) status = statusCode(field.bytes);
    else if (field.number === 2) changes.push(fieldChange(field.bytes));
    else if (field.number === 3) body = textOf(field);
  }
  const headers = changes.filter(({ name }) => !isOwnName(name));
  checkChanges(headers);
  return denial(status === 0 ? DENIED_STATUS : status, { body, headers });
}

interface OkParts {
  readonly changes: RequestChanges;
  /** `OkHttpResponse.dynamic_metadata` counts before that of the response. */
  readonly ownMetadata: Buffer | undefined;
}

function okChanges(message: Buffer): OkParts {
  const fields: FieldChange[] = [];
  const answerFields: FieldChange[] = [];
  const remove: string[] = [];
  const setQuery: (readonly [string, string])[] = [];
  const removeQuery: string[] = [];
  let ownMetadata: Buffer | undefined;
  for (const field of messageFields(message)) {
    if (field.number === 2) fields.push(fieldChange(field.bytes));
    else if (field.number === 3) ownMetadata = field.bytes;
    else if (field.number === 5) remove.push(octetsOf(field).toLowerCase());
    else if (field.number === 6) answerFields.push(fieldChange(field.bytes));
    else if (field.number === 7) setQuery.push(queryParameter(field));
    else if (field.number === 8) removeQuery.push(textOf(field));
  }
  const changes = {
    fields: fields.filter(({ name }) => !isOwnName(name)),
    answerFields: answerFields.filter(({ name }) => !isOwnName(name)),
    remove: remove.filter((name) => !isOwnName(name)),
    setQuery,
    removeQuery,
  };
  checkChanges(changes.fields);
  checkChanges(changes.answerFields);
  return { changes, ownMetadata };
}

/** By `HeaderValueOption.append_action`. The first is also what is said by nobody: then a header of the client's gives way (EA-13). */
const ACTIONS: readonly FieldChange["how"][] = [
  "overwrite",
  "add if absent",
  "overwrite",
  "overwrite if present",
];

/** @param message `HeaderValueOption` */
function fieldChange(message: Buffer): FieldChange {
  let [name, value] = ["", ""];
  let how: FieldChange["how"] = "overwrite";
  for (const field of messageFields(message)) {
    if (field.number === 1) [name, value] = headerValue(field.bytes);
    else if (field.number === 2) how = statusCode(field.bytes) === 1 ? "append" : "overwrite";
    else if (field.number === 3) how = ACTIONS[field.integer] ?? "overwrite";
  }
  return { name: name.toLowerCase(), value, how };
}

function headerValue(message: Buffer): [name: string, value: string] {
  let [name, value] = ["", ""];
  for (const field of messageFields(message)) {
    if (field.number === 1) name = octetsOf(field);
    else if (field.number === 2 || field.number === 3) value = octetsOf(field);
  }
  return [name, value];
}

function queryParameter({ bytes }: MessageField): readonly [string, string] {
  let [name, value] = ["", ""];
  for (const field of messageFields(bytes)) {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 2) value = textOf(field);
  }
  return [name, value];
}
