/** Options that several commands have. */
import { Option } from "commander";
import { DEFAULT_DATA_DIRECTORY } from "../local/data-directory.ts";

export function dataFolder(): Option {
  return new Option("--data <folder>", "where the mesh keeps its state").default(
    DEFAULT_DATA_DIRECTORY,
  );
}

/** For an option that may be given several times. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
