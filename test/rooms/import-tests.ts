/** Runs all tests of a pure room in one process: of hundreds of small files, starting each would take longest. */
import { readdirSync } from "node:fs";

/** @param room such as `src/api` */
export async function importTests(room: string): Promise<void> {
  const files = readdirSync(room, { recursive: true, encoding: "utf8" }).sort();
  for (const file of files) {
    if (file.endsWith(".test.ts")) await import(`../../${room}/${file}`);
  }
}
