/** Configurations of other programs lie in `peers` as they are, with `{{name}}` where a run has its own ports and files. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** @returns the file written into `folder`, which is a value too */
export function writePeerConfiguration(
  template: string,
  { folder, ...values }: Readonly<Record<string, string | number>> & { readonly folder: string },
): string {
  const text = readFileSync(join(import.meta.dirname, "peers", template), "utf8");
  const known = new Map(Object.entries({ folder, ...values }));
  const filled = text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => {
    const value = known.get(name);
    if (value === undefined) throw new Error(`${template} wants ${name}`);
    return String(value);
  });
  const file = join(folder, `${values["listen"]}-${template}`);
  writeFileSync(file, filled);
  return file;
}
