/**
 * A workload view in the form it is sent, with its version. Each field is encoded once, however many views share it and however
 * many streams ask for them; a client that has a view already is told only the fields that changed.
 */
import { createHash } from "node:crypto";
import {
  VIEW_CHANGES_FORMAT,
  WORKLOAD_VIEW_FORMAT,
  type WorkloadView,
} from "../policy/workload-view.ts";
import { packView, type ViewMessage } from "../wire/workload-view-message.ts";
import { trustFingerprint } from "./trust-fingerprint.ts";

const VERSION_CHARACTERS = 32;

export interface EncodedView {
  /** Hash of the content: equal views have equal versions, in every process. */
  readonly version: string;
  /** Fingerprint of what the view says to trust. */
  readonly trust: string;
}

interface NamedField {
  readonly name: string;
  readonly json: Buffer;
}

const encodedViews = new WeakMap<WorkloadView, EncodedView>();
const encodedFields = new WeakMap<object, Buffer>();

export function encodeView(view: WorkloadView): EncodedView {
  const known = encodedViews.get(view);
  if (known !== undefined) return known;
  const hash = createHash("sha256").update(String(WORKLOAD_VIEW_FORMAT));
  for (const part of partsOfObject(fieldsOf(view))) hash.update(part);
  const encoded = {
    version: hash.digest("hex").slice(0, VERSION_CHARACTERS),
    trust: trustFingerprint(view.trust),
  };
  encodedViews.set(view, encoded);
  return encoded;
}

/** All of it. */
export function wholeView(view: WorkloadView): ViewMessage {
  return packView({ format: WORKLOAD_VIEW_FORMAT, json: objectOf(fieldsOf(view)) });
}

/** What is to be told to whoever has `before`. */
export function changedFields(before: WorkloadView, next: WorkloadView): ViewMessage {
  const old = new Map(fieldsOf(before).map(({ name, json }) => [name, json]));
  const fields = fieldsOf(next);
  const changed = fields.filter(({ name, json }) => {
    const had = old.get(name);
    return had !== json && (had === undefined || !had.equals(json));
  });
  const stays = new Set(fields.map(({ name }) => name));
  const gone = [...old.keys()].filter((name) => !stays.has(name));
  const head = JSON.stringify({ base: encodeView(before).version, gone }).slice(0, -1);
  const json = Buffer.concat([
    Buffer.from(`${head},"changed":`),
    objectOf(changed),
    Buffer.from("}"),
  ]);
  return packView({ format: VIEW_CHANGES_FORMAT, json });
}

function fieldsOf(view: WorkloadView): readonly NamedField[] {
  return Object.entries(view)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ({ name, json: encodedField(value) }));
}

function encodedField(value: object): Buffer {
  const known = encodedFields.get(value);
  if (known !== undefined) return known;
  const json = Buffer.from(JSON.stringify(value));
  encodedFields.set(value, json);
  return json;
}

function objectOf(fields: readonly NamedField[]): Buffer {
  return Buffer.concat(partsOfObject(fields));
}

function partsOfObject(fields: readonly NamedField[]): readonly Buffer[] {
  const parts = fields.flatMap(({ name, json }, index) => [
    Buffer.from(`${index === 0 ? "" : ","}${JSON.stringify(name)}:`),
    json,
  ]);
  return [Buffer.from("{"), ...parts, Buffer.from("}")];
}
