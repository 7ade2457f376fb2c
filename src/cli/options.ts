/** Options that several commands have. */
import { Option } from "commander";
import { DEFAULT_DATA_DIRECTORY } from "../local/data-directory.ts";
import { NETWORK_CHOICES } from "./network-choice.ts";

export function dataFolder(): Option {
  return new Option("--data <folder>", "where the mesh keeps its state").default(
    DEFAULT_DATA_DIRECTORY,
  );
}

/** How pods reach each other. */
export function networkChoice(): Option {
  return new Option(
    "--network <network>",
    "namespaces: each pod in Linux namespaces of its own, with addresses of its own; loopback: all on this machine's loopback; auto: as good as this machine allows",
  )
    .choices(NETWORK_CHOICES)
    .default("auto");
}

/** For an option that may be given several times. */
export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
