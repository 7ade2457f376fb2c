/**
 * Which authority the folder of a custom one was seen to hold last, and since which step: whoever rolls it back afterwards
 * is stronger than the folder, over restarts too, until the folder changes. Counted by steps, for clocks can go back.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AuthorityRing } from "../ca/rotation.ts";
import { replaceFile } from "../runtime/atomic-file.ts";
import { readRegularFile } from "../runtime/regular-file.ts";

/** In the data directory. */
const FILE = "authority-folder.json";
const MODE = 0o600;
const MAX_BYTES = 65_536;

type History = ReturnType<AuthorityRing["history"]>;
type Step = History[number];

export interface FolderChoice {
  readonly directory: string;
  /** Its id. */
  readonly authority: string;
  /** The last step that was taken before; absent: none was. */
  readonly after?: Pick<Step, "step" | "authority"> & { readonly at: string };
}

export class FolderChoiceFile {
  readonly #path: string;

  /** @param dataDirectory the mesh's */
  constructor(dataDirectory: string) {
    this.#path = join(dataDirectory, FILE);
  }

  /** @returns undefined where there is none, and where it cannot be read: then the folder counts as changed */
  async read(): Promise<FolderChoice | undefined> {
    try {
      const { bytes } = await readRegularFile(this.#path, {
        maxBytes: MAX_BYTES,
        links: "refused",
      });
      const parsed: unknown = JSON.parse(bytes.toString("utf8"));
      return isChoice(parsed) ? parsed : undefined;
    } catch {
      return undefined;
    }
  }

  async write(choice: FolderChoice): Promise<void> {
    await replaceFile(this.#path, `${JSON.stringify(choice)}\n`, { mode: MODE });
  }

  /** A mesh that follows no folder now has chosen anew when it follows one again. */
  async forget(): Promise<void> {
    await rm(this.#path, { force: true });
  }
}

export function choiceNow(
  { directory, authority }: Pick<FolderChoice, "directory" | "authority">,
  history: History,
): FolderChoice {
  const last = history.at(-1);
  if (last === undefined) return { directory, authority };
  const { at, step } = last;
  return { directory, authority, after: { at: at.toISOString(), step, authority: last.authority } };
}

/** The steps since the choice; of a history that has forgotten when that was, all: they are later. */
export function stepsSince({ after }: FolderChoice, history: History): History {
  if (after === undefined) return history;
  const last = history.findLastIndex(
    ({ at, step, authority }) =>
      at.toISOString() === after.at && step === after.step && authority === after.authority,
  );
  return history.slice(last + 1);
}

function isChoice(value: unknown): value is FolderChoice {
  if (typeof value !== "object" || value === null) return false;
  if (!("directory" in value) || !("authority" in value)) return false;
  if (typeof value.directory !== "string" || typeof value.authority !== "string") return false;
  if (!("after" in value)) return true;
  const { after } = value;
  return typeof after === "object" && after !== null && "at" in after && "step" in after;
}
