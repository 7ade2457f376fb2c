/** The ledger of authorities as JSON, format 2; read strictly, since it says whom the whole mesh trusts. */
import { HauberkError } from "../runtime/hauberk-error.ts";
import type { AuthorityLedger, HeldEntry, SetAside, TakenStep } from "./authority-ledger.ts";

const FORMAT = 2;
/** Knew no authorities that are set aside, and did not count its versions. */
const FIRST_FORMAT = 1;
const ID = /^[0-9a-f]{16}$/;
const STATES = ["prepared", "active", "retiring", "tainted"] as const;
const ORIGINS = ["self-signed", "custom"] as const;
const STEPS = ["prepare", "activate", "taint", "revoke", "rollback"] as const;
/** The states that exclude each other, and how many of them there may be. */
const BOUNDS = [
  { states: ["active"], least: 1, what: "active" },
  { states: ["prepared"], least: 0, what: "prepared" },
  { states: ["retiring", "tainted"], least: 0, what: "retiring or tainted" },
];

/** The ledger is not one that this version writes. */
export class InvalidLedgerError extends HauberkError {
  readonly code = "HAUBERK_INVALID_AUTHORITY_LEDGER";
}

export interface WrittenLedger {
  readonly ledger: AuthorityLedger;
  /** Counts the changes since the mesh began, so that an older one is known when it comes back. */
  readonly version: number;
}

export function printLedger(ledger: AuthorityLedger, version: number): string {
  const { authorities, setAside, history } = ledger;
  // `Date` prints itself as ISO 8601.
  return `${JSON.stringify({ format: FORMAT, version, authorities, setAside, history }, undefined, 2)}\n`;
}

/** @throws InvalidLedgerError */
export function parseLedger(text: string): WrittenLedger {
  const fields = record(parseJson(text), "it");
  const { format } = fields;
  if (format === FIRST_FORMAT)
    return { ledger: readLedger({ ...fields, setAside: [] }), version: 0 };
  if (format !== FORMAT) throw new InvalidLedgerError(`its format is not ${FORMAT}`);
  const { version } = fields;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 0)
    throw new InvalidLedgerError("version: must be a whole number");
  return { ledger: readLedger(fields), version };
}

function readLedger(ledger: Record<string, unknown>): AuthorityLedger {
  const authorities = list(ledger["authorities"], "authorities").map(readEntry);
  const setAside = list(ledger["setAside"], "setAside").map(readSetAside);
  const ids = [...authorities, ...setAside].map((one) => one.id);
  if (new Set(ids).size < ids.length) throw new InvalidLedgerError("authorities: one stands twice");
  for (const { states, least, what } of BOUNDS) {
    const { length } = authorities.filter(({ state }) => states.includes(state));
    if (length < least || length > 1)
      throw new InvalidLedgerError(`authorities: ${length} are ${what}`);
  }
  return { authorities, setAside, history: list(ledger["history"], "history").map(readStep) };
}

function readSetAside(value: unknown): SetAside {
  const entry = record(value, "an authority");
  return {
    id: id(entry["id"]),
    origin: choice(entry["origin"], ORIGINS),
    since: instant(entry["since"]),
  };
}

function readEntry(value: unknown): HeldEntry {
  const entry = record(value, "an authority");
  return {
    id: id(entry["id"]),
    state: choice(entry["state"], STATES),
    origin: choice(entry["origin"], ORIGINS),
    since: instant(entry["since"]),
  };
}

function readStep(value: unknown): TakenStep {
  const step = record(value, "a step");
  const { forced } = step;
  if (typeof forced !== "boolean") throw new InvalidLedgerError("forced: must be true or false");
  return {
    at: instant(step["at"]),
    step: choice(step["step"], STEPS),
    authority: id(step["authority"]),
    forced,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidLedgerError("it is not JSON", { cause });
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidLedgerError(`${what} is not an object`);
  return { ...value };
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new InvalidLedgerError(`${what}: must be a list`);
  return value;
}

/** Checked above all because it names a folder. */
function id(value: unknown): string {
  if (typeof value !== "string" || !ID.test(value))
    throw new InvalidLedgerError(`${JSON.stringify(value)} is not an authority's id`);
  return value;
}

function choice<T extends string>(value: unknown, choices: readonly T[]): T {
  const found = choices.find((one) => one === value);
  if (found === undefined)
    throw new InvalidLedgerError(`${JSON.stringify(value)}: expected ${choices.join(" or ")}`);
  return found;
}

function instant(value: unknown): Date {
  const date = new Date(typeof value === "string" ? value : Number.NaN);
  if (Number.isNaN(date.getTime()))
    throw new InvalidLedgerError(`${JSON.stringify(value)} is not an instant`);
  return date;
}
