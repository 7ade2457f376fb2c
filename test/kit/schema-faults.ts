/** What the schema alone says of a resource, as a user's file is read. */
import { validateResources } from "../../src/api/validate-resources.ts";

/** @returns `PATH PROBLEM` of each fault, in the order of lines */
export function schemaFaults(yaml: string): readonly string[] {
  const issues = validateResources(yaml, "mesh.yaml").flatMap((document) => document.issues);
  const unread = issues.find(({ path }) => ["kind", "apiVersion", ""].includes(path));
  if (unread !== undefined) throw new Error(`not read: ${unread.path} ${unread.problem}`);
  return issues
    .filter(({ level }) => level === "schema")
    .map(({ path, problem }) => `${path} ${problem}`);
}
