/**
 * The JSON of proto3 straight into the bytes of a message. The library makes a message of it first and looks at each field of each
 * anew, which takes seconds for thousands of rules. What is not plain here, or wrong, is left to the library, message by message.
 */
import {
  type DescMessage,
  fromJson,
  type JsonValue,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { BackwardBytes } from "./backward-bytes.ts";
import { type FieldPlan, messagePlan } from "./message-plan.ts";

const VARINT = 0;
const LENGTH_DELIMITED = 2;
/** As the library, and Envoy. */
const MOST_NESTED = 100;
const MAX_UINT32 = 0xffffffff;

const ANY = "google.protobuf.Any";
const ANY_TYPE = "@type";
const ANY_PREFIX = "type.googleapis.com/";
/** Of Google's own messages many have a JSON of their own. */
const OWN_JSON = "google.protobuf.";

/**
 * The same bytes as of `toBinary(schema, fromJson(schema, json, { registry }))`, and of an entry `__proto__`, which that drops.
 *
 * @throws Error for what is no such message
 */
export function encodeJson(schema: DescMessage, json: object, registry: Registry): Uint8Array {
  const encoder = new JsonEncoder(registry);
  encoder.message(schema, json, 1);
  return encoder.bytes.taken();
}

class JsonEncoder {
  readonly bytes: BackwardBytes = new BackwardBytes();
  readonly #registry: Registry;
  /** Where each `Any` ends and begins, in bytes from the end: what is said again and again is copied. */
  readonly #written: Map<object, WrittenAny> = new Map();

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** @param depth of this message, from 1 */
  message(schema: DescMessage, json: unknown, depth: number): void {
    const begun = this.bytes.length;
    if (depth <= MOST_NESTED && this.#isWritten(schema, json, depth)) return;
    this.bytes.backTo(begun);
    this.#written.clear(); // some of it is gone
    const options = { registry: this.#registry, recursionLimit: MOST_NESTED + 1 - depth };
    this.bytes.bytes(toBinary(schema, fromJson(schema, json as JsonValue, options)));
  }

  /** @returns whether it could be; if not, something may be written */
  #isWritten(schema: DescMessage, json: unknown, depth: number): boolean {
    if (!isFields(json)) return false;
    const { typeName } = schema;
    if (typeName === ANY) return this.#isAnyWritten(json, depth);
    return !typeName.startsWith(OWN_JSON) && this.#areFieldsWritten(schema, json, depth);
  }

  /** Source: google.protobuf.Any: 1 is its type, 2 its value. */
  #isAnyWritten(json: Fields, depth: number): boolean {
    const begun = this.bytes.length;
    const known = this.#written.get(json);
    if (known !== undefined && depth <= known.depth) {
      this.bytes.again(known.end, known.begin);
      return true;
    }
    const type = json[ANY_TYPE];
    if (typeof type !== "string" || !type.startsWith(ANY_PREFIX)) return false;
    const name = type.slice(ANY_PREFIX.length);
    const schema = this.#registry.getMessage(name);
    if (schema === undefined || name.startsWith(OWN_JSON) || depth >= MOST_NESTED) return false;
    if (!this.#areFieldsWritten(schema, json, depth + 1, ANY_TYPE)) return false;
    if (this.bytes.length > begun) this.#head(2, begun);
    if (!this.#isTextWritten(1, type)) return false;
    this.#written.set(json, { end: begun, begin: this.bytes.length, depth });
    return true;
  }

  #areFieldsWritten(schema: DescMessage, json: Fields, depth: number, beside?: string): boolean {
    const plan = messagePlan(schema);
    const fields: FieldPlan[] = [];
    for (const name of Object.keys(json)) {
      if (name === beside) continue;
      const field = plan.get(name);
      if (field === undefined) return false;
      const { group } = field;
      if (group !== undefined && fields.some((other) => other.group === group)) return false;
      fields.push(field);
    }
    if (fields.length > 1) fields.sort((a, b) => b.number - a.number); // the last is written first
    for (const field of fields)
      if (!this.#isFieldWritten(field, json[field.name], depth)) return false;
    return true;
  }

  #isFieldWritten(field: FieldPlan, value: unknown, depth: number): boolean {
    switch (field.holds) {
      case "one":
        return this.#isValueWritten(field, value, { number: field.number, depth });
      case "list":
        return Array.isArray(value) && this.#isListWritten(field, value, depth);
      case "map":
        return isFields(value) && this.#isMapWritten(field, value, depth);
    }
  }

  #isListWritten(field: FieldPlan, items: readonly unknown[], depth: number): boolean {
    const place = { number: field.number, depth };
    for (let index = items.length - 1; index >= 0; index--)
      if (!this.#isValueWritten(field, items[index], place)) return false;
    return true;
  }

  #isMapWritten(field: FieldPlan, entries: Fields, depth: number): boolean {
    const keys = Object.keys(entries);
    for (let index = keys.length - 1; index >= 0; index--) {
      const key = keys[index] ?? "";
      if (!this.#isEntryWritten(field, [key, entries[key]], depth)) return false;
    }
    return true;
  }

  /** Of a map: 1 is the key, 2 the value. */
  #isEntryWritten(field: FieldPlan, [key, value]: [string, unknown], depth: number): boolean {
    const end = this.bytes.length;
    if (!this.#isValueWritten(field, value, { number: 2, depth })) return false;
    if (!this.#isTextWritten(1, key)) return false;
    this.#head(field.number, end);
    return true;
  }

  #isValueWritten(
    { written, leavesOutZero }: FieldPlan,
    value: unknown,
    { number, depth }: { readonly number: number; readonly depth: number },
  ): boolean {
    switch (written?.as) {
      case "message": {
        const end = this.bytes.length;
        if (value === null || value === undefined) return false;
        this.message(written.of, value, depth + 1);
        this.#head(number, end);
        return true;
      }
      case "text":
        if (typeof value !== "string") return false;
        return (leavesOutZero && value === "") || this.#isTextWritten(number, value);
      case "flag":
        return typeof value === "boolean" && this.#number(number, value ? 1 : 0, leavesOutZero);
      case "name": {
        const named = typeof value === "string" ? written.numbers.get(value) : undefined;
        return named !== undefined && this.#number(number, named, leavesOutZero);
      }
      case "number":
        return isUint32(value) && this.#number(number, value, leavesOutZero);
      default:
        return false;
    }
  }

  #isTextWritten(number: number, text: string): boolean {
    const end = this.bytes.length;
    if (!this.bytes.ascii(text)) return false;
    this.#head(number, end);
    return true;
  }

  #number(number: number, value: number, leavesOutZero: boolean): boolean {
    if (leavesOutZero && value === 0) return true;
    this.bytes.varint(value);
    this.bytes.varint(number * 8 + VARINT);
    return true;
  }

  /** Of what was written since there were `end` bytes. */
  #head(number: number, end: number): void {
    this.bytes.varint(this.bytes.length - end);
    this.bytes.varint(number * 8 + LENGTH_DELIMITED);
  }
}

interface WrittenAny {
  readonly end: number;
  readonly begin: number;
  /** Further in, it might be too deep. */
  readonly depth: number;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isUint32(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_UINT32;
}
