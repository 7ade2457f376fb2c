/** What is written of a mesh, as texts: of files, of standard input, or of the mesh that runs. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import type { Issue } from "../api/resource.ts";
import { readTexts } from "../control/resource-files.ts";
import type { WrittenText } from "../control/written-texts.ts";
import { DataDirectory } from "../local/data-directory.ts";
import { MeshClient, NoMeshError } from "../local/joining/mesh-client.ts";

export const STANDARD_INPUT = "-";

export interface AskedTexts {
  readonly texts: readonly WrittenText[];
  /** Files that cannot be read. */
  readonly issues: readonly Issue[];
  readonly of: "files" | "running mesh";
}

/**
 * @param asked.paths files, folders and `-`; none: the mesh that runs with its data in `asked.data`
 * @throws NoMeshError
 */
export async function askedTexts({
  paths,
  data,
  input = process.stdin,
}: {
  readonly paths: readonly string[];
  readonly data: string;
  readonly input?: AsyncIterable<Uint8Array>;
}): Promise<AskedTexts> {
  if (paths.length === 0)
    return { texts: await writtenTexts(data), issues: [], of: "running mesh" };
  // Whoever asks once may ask of a pipe, as `explain` may.
  const readText = (file: string): Promise<string> => readFile(file, "utf8");
  const files = paths.filter((path) => path !== STANDARD_INPUT);
  const { texts, issues } = await readTexts(files, { readText });
  const piped = paths.includes(STANDARD_INPUT)
    ? [{ file: "<stdin>", text: await text(input) }]
    : [];
  return { texts: [...texts, ...piped], issues, of: "files" };
}

async function writtenTexts(data: string): Promise<readonly WrittenText[]> {
  const client = await MeshClient.connect(new DataDirectory(data));
  try {
    const reply = await client.ask({ type: "written" });
    if (reply.type !== "written") throw new NoMeshError("the mesh is of another version");
    return reply.texts;
  } finally {
    client.close();
  }
}
