/** Holds a value to a schema, as an API server does: every fault with its line and path, unknown fields too. */
import { closestName, MOST_HINTS } from "../closest-name.ts";
import { joinPath } from "../join-path.ts";
import type { Position, Report } from "../parse-report.ts";
import { quoted } from "../quoted.ts";
import type { YamlList, YamlMap, YamlNode } from "../yaml-documents.ts";
import { keyFaults, ruleFaults } from "./rule-faults.ts";
import { fieldSchema, isLeftOut } from "./rule-value.ts";
import { expected, hasType, scalarProblem } from "./scalar-problem.ts";
import type { ListSchema, MapSchema, ObjectSchema, Schema } from "./schema.ts";

/** Reports every place where a value is not as its schema says. What is in a list or map that is too long is not looked at. */
export function checkSchema(
  schema: Schema,
  {
    node,
    path,
    report,
  }: { readonly node: YamlNode; readonly path: string; readonly report: Report },
): void {
  check(schema, { node, at: { line: node.line, path }, report });
}

interface Subject<Node extends YamlNode = YamlNode> {
  readonly node: Node;
  /** Where the value is spoken of: at its key, where it has one. */
  readonly at: Position;
  readonly report: Report;
}

/** Whether a value can be asked for its rules. */
type Structure = "sound" | "faulty";

function check(schema: Schema, subject: Subject): Structure {
  if (subject.report.isFull) return "faulty";
  const isNull = subject.node.type === "scalar" && subject.node.value === null;
  if (isNull && schema.nullable === true) return "sound";
  const structure = checkStructure(schema, subject);
  if (structure === "sound") checkRules(schema, subject);
  return structure;
}

function checkStructure(schema: Schema, subject: Subject): Structure {
  const { node } = subject;
  switch (schema.type) {
    case "object":
      return node.type === "map" ? checkObject(schema, { ...subject, node }) : noMap(subject);
    case "map":
      return node.type === "map" ? checkMap(schema, { ...subject, node }) : noMap(subject);
    case "anything":
      return schema.shape === "value" || node.type === "map" ? "sound" : noMap(subject);
    case "list":
      if (node.type === "list") return checkList(schema, { ...subject, node });
      return mistyped(subject, expected("a list", node));
    default: {
      const problem = scalarProblem(schema, node);
      if (problem === undefined) return "sound";
      return hasType(schema, node) ? fault(subject, problem) : mistyped(subject, problem);
    }
  }
}

function checkRules(schema: Schema, { node, at, report }: Subject): void {
  for (const fault of ruleFaults(schema, node)) {
    const place = fault.field === undefined ? at : placeOf(fault.field, { node, at });
    report.issue(place, fault.problem);
  }
}

function placeOf(field: string, { node, at }: Pick<Subject, "node" | "at">): Position {
  return node.type === "map" ? fieldPlace(node, { name: field, at }) : at;
}

function checkObject(schema: ObjectSchema, subject: Subject<YamlMap>): Structure {
  const { node, at } = subject;
  let unknown = 0;
  const structures = [...node.entries].map(([name, entry]) => {
    const field = fieldSchema(schema, name);
    const place = fieldPlace(node, { name, at });
    if (field === undefined) {
      const meant =
        ++unknown > MOST_HINTS ? undefined : closestName(name, Object.keys(schema.fields));
      subject.report.issue(place, unknownField(meant, schema));
    }
    if (field === undefined || isLeftOut(field, entry.node)) return "sound";
    return check(field, { ...subject, node: entry.node, at: place });
  });
  return worst([...structures, checkRequired(schema, subject), checkOneofs(schema, subject)]);
}

function unknownField(meant: string | undefined, { advice }: ObjectSchema): string {
  const hint = meant === undefined ? advice : `did you mean ${meant}?`;
  return `is not a known field${hint === undefined ? "" : `; ${hint}`}`;
}

function checkRequired(schema: ObjectSchema, subject: Subject<YamlMap>): Structure {
  const missing = (schema.required ?? []).filter((name) => !isGiven(schema, { ...subject, name }));
  for (const name of missing) {
    const at = fieldPlace(subject.node, { name, at: subject.at });
    fault({ ...subject, at }, subject.node.entries.has(name) ? "must not be empty" : "is missing");
  }
  return missing.length === 0 ? "sound" : "faulty";
}

function checkOneofs(schema: ObjectSchema, subject: Subject<YamlMap>): Structure {
  const structures = (schema.atMostOneOf ?? []).map((group): Structure => {
    const [first, ...others] = group.filter((name) => isGiven(schema, { ...subject, name }));
    for (const name of others) {
      const at = fieldPlace(subject.node, { name, at: subject.at });
      fault(
        { ...subject, at },
        `must not be given together with ${first}: only one of ${group.join(", ")}`,
      );
    }
    return others.length === 0 ? "sound" : "faulty";
  });
  return worst(structures);
}

/** An API server forgets null where it is no value, so that the field is as good as absent. */
function isGiven(
  schema: ObjectSchema,
  { node, name }: { readonly node: YamlMap; readonly name: string },
): boolean {
  const [field, entry] = [fieldSchema(schema, name), node.entries.get(name)];
  return field !== undefined && entry !== undefined && !isLeftOut(field, entry.node);
}

function checkMap(schema: MapSchema, subject: Subject<YamlMap>): Structure {
  const { value, keys = [], minProperties: min = 0, maxProperties: max = MANY } = schema;
  const { node, at } = subject;
  const entries = [...node.entries].filter((entry) => !isLeftOut(value, entry[1].node));
  const problem = countProblem(entries.length, { min, max, of: "entry" });
  if (problem !== undefined && entries.length > max) return fault(subject, problem);
  const structures = entries.map(([name, entry]) => {
    const inside = { ...subject, node: entry.node, at: fieldPlace(node, { name, at }) };
    const structure = check(value, inside);
    if (subject.report.isFull) return "faulty";
    for (const problem of keyFaults(keys, name)) fault(inside, problem);
    return structure;
  });
  return worst([...structures, problem === undefined ? "sound" : fault(subject, problem)]);
}

function checkList(schema: ListSchema, subject: Subject<YamlList>): Structure {
  const { item, minItems: min = 0, maxItems: max = MANY } = schema;
  const problem = countProblem(subject.node.items.length, { min, max, of: "item" });
  if (problem !== undefined && subject.node.items.length > max) return fault(subject, problem);
  const structures = subject.node.items.map((node, index) =>
    check(item, { ...subject, node, at: itemPlace(subject, index) }),
  );
  return worst([
    ...structures,
    checkUnique(schema, subject),
    problem === undefined ? "sound" : fault(subject, problem),
  ]);
}

function checkUnique({ uniqueBy }: ListSchema, subject: Subject<YamlList>): Structure {
  if (uniqueBy === undefined) return "sound";
  const first = new Map<unknown, number>();
  const structures = subject.node.items.map((item, index): Structure => {
    const key = item.type === "map" ? item.entries.get(uniqueBy)?.node : undefined;
    if (key?.type !== "scalar") return "sound";
    const known = first.get(key.value);
    if (known === undefined) first.set(key.value, index);
    if (known === undefined) return "sound";
    const at = itemPlace(subject, index);
    return fault(
      { ...subject, at },
      `has the same ${uniqueBy} as item ${known}: ${quoted(key.text)}`,
    );
  });
  return worst(structures);
}

const MANY = Number.POSITIVE_INFINITY;

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly of: "item" | "entry";
}

function countProblem(count: number, { min, max, of }: Bounds): string | undefined {
  const many = of === "item" ? "items" : "entries";
  if (count < min) return `must have at least ${min === 1 ? `one ${of}` : `${min} ${many}`}`;
  return count > max ? `has ${count} ${many}; at most ${max} are allowed` : undefined;
}

function fieldPlace(
  { entries, line }: YamlMap,
  { name, at }: { readonly name: string; readonly at: Position },
): Position {
  return { line: entries.get(name)?.line ?? line, path: joinPath(at.path, name) };
}

function itemPlace({ node, at }: Subject<YamlList>, index: number): Position {
  return { line: node.items[index]?.line ?? at.line, path: `${at.path}[${index}]` };
}

function worst(structures: readonly Structure[]): Structure {
  return structures.includes("faulty") ? "faulty" : "sound";
}

function noMap(subject: Subject): Structure {
  return mistyped(subject, expected("a map", subject.node));
}

function mistyped({ at, report }: Subject, problem: string): Structure {
  report.issue(at, problem, "type");
  return "faulty";
}

function fault({ at, report }: Subject, problem: string): Structure {
  report.issue(at, problem);
  return "faulty";
}
