/** What the query of a request says beyond its path. Source: meta/v1 CreateOptions, UpdateOptions, PatchOptions, ListOptions. */
import { unsupportedValue } from "../objects/metadata-problems.ts";
import { badRequest, invalidOptions } from "../objects/refusals.ts";
import type { ApiRequest } from "./api-request.ts";

const MAX_MANAGER = 128;
const TRUE = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE = ["", "0", "f", "F", "false", "FALSE", "False"];

export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface WriteOptions {
  readonly dryRun: boolean;
  readonly manager: string;
  readonly fieldValidation: FieldValidation;
  /** Of an apply: fields that others own are taken from them. */
  readonly force: boolean;
}

/** @throws StatusError 400, 422 */
export function writeOptions({ query, headers }: ApiRequest): WriteOptions {
  return {
    dryRun: dryRunOf(query.getAll("dryRun")),
    manager: managerOf(query.get("fieldManager") ?? "", headers["user-agent"] ?? ""),
    fieldValidation: fieldValidationOf(query.get("fieldValidation") ?? ""),
    force: flagOf(query, "force"),
  };
}

/** @throws StatusError 400 */
export function dryRunOf(values: readonly string[]): boolean {
  const given = values.filter((value) => value !== "");
  const other = given.find((value) => value !== "All");
  if (other !== undefined)
    throw invalidOptions(
      "CreateOptions",
      unsupportedValue("dryRun", JSON.stringify(given), ["All"]),
    );
  return given.length > 0;
}

/** @throws StatusError 400 */
export function flagOf(query: URLSearchParams, name: string): boolean {
  const text = query.get(name) ?? "";
  if (TRUE.includes(text)) return true;
  if (FALSE.includes(text)) return false;
  throw badRequest(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}

/** @returns undefined where it is not given @throws StatusError 400 */
export function countOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name) ?? "";
  if (text === "") return undefined;
  if (!/^-?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

/** A client that names no manager is known by the program it says it is. */
function managerOf(given: string, userAgent: string): string {
  if (given.length > MAX_MANAGER || !isPrintable(given))
    throw badRequest(
      `fieldManager: Invalid value: ${JSON.stringify(given.slice(0, 256))}: should be at most ${MAX_MANAGER} printable characters`,
    );
  if (given !== "") return given;
  const program = userAgent.split("/")[0] ?? "";
  const printable = [...program].filter(isPrintable).join("").slice(0, MAX_MANAGER);
  return printable === "" ? "unknown" : printable;
}

function isPrintable(text: string): boolean {
  return !/[\p{C}]/u.test(text);
}

function fieldValidationOf(text: string): FieldValidation {
  if (text === "" || text === "Warn") return "Warn";
  if (text === "Strict" || text === "Ignore") return text;
  throw invalidOptions(
    "CreateOptions",
    unsupportedValue("fieldValidation", JSON.stringify(text), ["", "Ignore", "Strict", "Warn"]),
  );
}
