/**
 * Reads the fields of a map whose content nobody has checked yet. What is wrong is reported with its line and path,
 * and reading goes on, so that a user sees all faults at once. A field that nobody asked for is a fault too.
 */
import { closestName, MOST_HINTS } from "./closest-name.ts";
import { describeNode, quoteHint, type ValueDisplay } from "./describe-node.ts";
import { joinPath } from "./join-path.ts";
import type { Position, Report } from "./parse-report.ts";
import type { YamlEntry, YamlMap, YamlNode, YamlScalar } from "./yaml-documents.ts";

/** Says what is wrong with a text; undefined when nothing is. The words follow the path: `must be lower case`. */
export type Check = (text: string) => string | undefined;

/** A field, or one item of a field that is a list. */
export type FieldRef = string | { readonly name: string; readonly item: number };

const NO_FIELDS: ReadonlyMap<string, YamlEntry> = new Map();

export class Fields {
  /** Line of the map itself, or, when it is absent, of the nearest map around it. */
  readonly line: number;
  readonly #entries: ReadonlyMap<string, YamlEntry>;
  readonly #report: Report;
  // Made when needed: a document may have a hundred thousand small maps.
  #read: Set<string> | undefined;
  /** Names that were looked for, read or not: what a misspelt name may have meant. */
  #known: Set<string> | undefined;
  #sections: Map<string, Fields> | undefined;
  #lists: Map<string, readonly Fields[]> | undefined;
  #display: ValueDisplay;
  /** Worked out when something is said: of most maps nothing is. */
  #path: string | (() => string);

  constructor(
    map: Pick<YamlMap, "entries">,
    {
      line,
      path,
      report,
      display = "shown",
    }: {
      readonly line: number;
      readonly path: string | (() => string);
      readonly report: Report;
      readonly display?: ValueDisplay;
    },
  ) {
    this.#display = display;
    this.#entries = map.entries;
    this.#report = report;
    this.#path = path;
    this.line = line;
  }

  get path(): string {
    if (typeof this.#path !== "string") this.#path = this.#path();
    return this.#path;
  }

  /** The map itself, for checks that walk it as a whole. */
  get map(): YamlMap {
    return { type: "map", line: this.line, entries: this.#entries };
  }

  /** From here on no message repeats a value of this map, or of a section or list not yet read. */
  concealValues(): void {
    this.#display = "concealed";
  }

  /** Whether the field is there at all, even if null. */
  mentions(name: string): boolean {
    this.#known ??= new Set();
    this.#known.add(name);
    return this.#entries.has(name);
  }

  /** Whether the field has a value; null is none, as in Kubernetes. */
  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  /** Names of the fields that are there, for maps whose keys are the user's. */
  names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** The map at `name`; without fields when absent. */
  section(name: string): Fields {
    const known = this.#sections?.get(name);
    if (known !== undefined) return known;
    const node = this.#ask(name);
    const map = node === undefined || node.type === "map" ? node : this.#expected(name, "a map");
    const section = new Fields(map ?? { entries: NO_FIELDS }, {
      line: this.#entries.get(name)?.line ?? this.line,
      path: () => joinPath(this.path, name),
      report: this.#report,
      display: this.#display,
    });
    // Of what is absent nothing need be remembered: most fields of most maps are.
    if (node === undefined) return section;
    this.#sections ??= new Map();
    this.#sections.set(name, section);
    return section;
  }

  /** The list of maps at `name`; empty when absent. */
  list(name: string): readonly Fields[] {
    const known = this.#lists?.get(name);
    if (known !== undefined) return known;
    const maps = this.#listItems(name).flatMap((node, item) => {
      if (node.type === "map") {
        const position = this.#position({ name, item });
        return [new Fields(node, { ...position, report: this.#report, display: this.#display })];
      }
      this.report({ name, item }, `is ${this.#describe(node)}; expected a map`);
      return [];
    });
    this.#lists ??= new Map();
    this.#lists.set(name, maps);
    return maps;
  }

  /** Number of items of the list at `name`; 0 when it is absent or no list. */
  itemCount(name: string): number {
    const node = this.#value(name);
    return node?.type === "list" ? node.items.length : 0;
  }

  /** Whether the field is absent, null, an empty list or an empty map. */
  saysNothing(name: string): boolean {
    const node = this.#value(name);
    if (node?.type === "list") return node.items.length === 0;
    return node === undefined || (node.type === "map" && node.entries.size === 0);
  }

  /** The list of texts at `name`; empty when absent. */
  texts(name: string, check: Check = () => undefined): readonly string[] {
    return this.#listItems(name).flatMap((node, item) =>
      this.#checkedText({ name, item }, { node, check }),
    );
  }

  text(name: string, check: Check = () => undefined): string | undefined {
    const node = this.#ask(name);
    return node === undefined ? undefined : this.#checkedText(name, { node, check })[0];
  }

  /** As `text`, but absence is an issue; "" then. */
  requiredText(name: string, check?: Check): string {
    if (!this.has(name)) {
      this.#mark(name);
      this.report(name, "is missing");
      return "";
    }
    return this.text(name, check) ?? "";
  }

  choice<const T extends string>(name: string, allowed: readonly T[], fallback: T): T {
    const node = this.#ask(name);
    if (node === undefined) return fallback;
    const chosen = allowed.find((value) => node.type === "scalar" && value === node.value);
    if (chosen !== undefined) return chosen;
    this.report(name, `is ${this.#describe(node)}; expected one of ${allowed.join(", ")}`);
    return fallback;
  }

  integer(
    name: string,
    { min, max }: { readonly min: number; readonly max: number },
  ): number | undefined {
    const node = this.#ask(name);
    if (node === undefined) return undefined;
    const value = node.type === "scalar" ? node.value : undefined;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) {
      return value;
    }
    return this.#expected(name, `a whole number from ${min} to ${max}`);
  }

  /** A port number, or the name of a port. */
  portOrName(name: string, check: Check): number | string | undefined {
    const node = this.#ask(name);
    if (node?.type === "scalar" && typeof node.value === "string") return this.text(name, check);
    return this.integer(name, { min: 1, max: 65_535 });
  }

  flag(name: string, fallback: "on" | "off"): boolean {
    const node = this.#ask(name);
    if (node === undefined) return fallback === "on";
    if (node.type === "scalar" && typeof node.value === "boolean") return node.value;
    this.#expected(name, "true or false");
    return fallback === "on";
  }

  /** The map of texts at `name`; empty when absent. */
  stringMap(
    name: string,
    { key: keyCheck, value: valueCheck = () => undefined }: { key?: Check; value?: Check } = {},
  ): Readonly<Record<string, string>> {
    const section = this.section(name);
    const pairs = section.names().flatMap((key): [string, string][] => {
      const problem = keyCheck?.(key);
      if (problem !== undefined) section.report(key, problem);
      if (!section.has(key)) section.report(key, "is empty; expected text");
      const value = section.text(key, valueCheck);
      return value === undefined ? [] : [[key, value]];
    });
    return Object.fromEntries(pairs);
  }

  /** The scalar at `name`, for text that holds a document of its own. */
  scalar(name: string): YamlScalar | undefined {
    const node = this.#ask(name);
    if (node === undefined || node.type === "scalar") return node;
    return this.#expected(name, "text");
  }

  /** Accepts fields that are written by servers for themselves, or that have no effect anywhere. */
  accept(names: readonly string[]): void {
    for (const name of names) this.#mark(name);
  }

  /** Accepts everything: for a map that is refused as a whole. */
  acceptAll(): void {
    this.accept(this.names());
    this.#sections = undefined;
    this.#lists = undefined;
  }

  /** Accepts known fields that have no effect here yet; the user is told in one notice. */
  unused(names: readonly string[]): void {
    for (const name of names) {
      this.#mark(name);
      if (this.has(name)) this.#report.unused(this.#position(name).path);
    }
  }

  /** Refuses known fields that must not be ignored, because what they ask for is not carried here yet. */
  unsupported(names: readonly string[], nameIt: (name: string) => string = (name) => name): void {
    for (const name of names) {
      this.#mark(name);
      if (this.has(name)) this.report(name, `not supported yet: ${nameIt(name)}`);
    }
  }

  /** Reports a fault of a field, at the field's line. */
  report(at: FieldRef, problem: string): void {
    this.#report.issue(this.#position(at), problem);
  }

  /** Reports a fault of the map as a whole. */
  reportHere(problem: string): void {
    this.#report.issue(this, problem);
  }

  notice(at: FieldRef, message: string): void {
    this.#report.notice(this.#position(at), message);
  }

  noticeHere(message: string): void {
    this.#report.notice(this, message);
  }

  /** Reports every field, here and in all sections and lists that were read, that nobody asked for. */
  end(): void {
    const unknown = this.names().filter((name) => this.#read?.has(name) !== true);
    const known = unknown.length === 0 ? [] : [...(this.#known ?? []), ...(this.#read ?? [])];
    for (const [index, name] of unknown.entries()) {
      const meant = index < MOST_HINTS ? closestName(name, known) : undefined;
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      this.report(name, `is not a known field${hint}`);
    }
    for (const section of this.#sections?.values() ?? []) section.end();
    for (const item of [...(this.#lists?.values() ?? [])].flat()) item.end();
  }

  #value(name: string): YamlNode | undefined {
    const node = this.#entries.get(name)?.node;
    return node?.type === "scalar" && node.value === null ? undefined : node;
  }

  #mark(name: string): void {
    this.#read ??= new Set();
    this.#read.add(name);
  }

  #ask(name: string): YamlNode | undefined {
    this.#mark(name);
    return this.#value(name);
  }

  #listItems(name: string): readonly YamlNode[] {
    const node = this.#ask(name);
    if (node === undefined) return [];
    if (node.type === "list") return node.items;
    return this.#expected(name, "a list") ?? [];
  }

  #checkedText(at: FieldRef, { node, check }: { node: YamlNode; check: Check }): string[] {
    if (node.type !== "scalar" || typeof node.value !== "string") {
      this.report(at, `is ${this.#describe(node)}; expected text${quoteHint(node, this.#display)}`);
      return [];
    }
    const problem = check(node.value);
    if (problem === undefined) return [node.value];
    this.report(at, problem);
    return [];
  }

  /** Reports that a field is of another type than `what`. */
  #expected(name: string, what: string): undefined {
    const node = this.#value(name);
    if (node !== undefined) this.report(name, `is ${this.#describe(node)}; expected ${what}`);
    return undefined;
  }

  #describe(node: YamlNode): string {
    return describeNode(node, this.#display);
  }

  #position(at: FieldRef): Position {
    const name = typeof at === "string" ? at : at.name;
    const entry = this.#entries.get(name);
    const line = entry?.line ?? this.line;
    const path = joinPath(this.path, name);
    if (typeof at === "string") return { line, path };
    const item = entry?.node.type === "list" ? entry.node.items[at.item] : undefined;
    return { line: item?.line ?? line, path: `${path}[${at.item}]` };
  }
}
