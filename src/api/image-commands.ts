/**
 * ImageCommands: which local command stands for a container image, where no image can be run.
 * The file is usually called images.yaml.
 */
import type { Container } from "./container.ts";
import type { Fields } from "./decoder.ts";
import {
  type EnvironmentVariable,
  nulProblem,
  variableNameProblem,
} from "./environment-variable.ts";
import { reportTwice } from "./port-fields.ts";
import type { ResourceMeta, SourceLocation } from "./resource.ts";

export interface ImageCommands {
  readonly kind: "ImageCommands";
  readonly meta: ResourceMeta;
  readonly images: readonly ImageCommand[];
}

export interface ImageCommand {
  /** A whole image name; each `*` stands for any run of characters. */
  readonly image: string;
  /** Stands for the image's entry point; not empty. */
  readonly command: readonly string[];
  /** For a container that has no arguments of its own. */
  readonly args: readonly string[];
  /** A container's own variables win. */
  readonly env: readonly PlainVariable[];
  /** For a container that has none of its own; as written. */
  readonly workingDir?: string;
  readonly source: SourceLocation;
}

export type PlainVariable = Extract<EnvironmentVariable, { value: string }>;

const MAX_PATTERN_LENGTH = 512;

export function imageCommands(meta: ResourceMeta, root: Fields): ImageCommands {
  const spec = root.section("spec");
  const items = spec.list("images");
  if (spec.saysNothing("images")) spec.report("images", "must have at least one image");
  const images = items.map((item) => imageCommandOf(item, meta.source.file));
  reportTwice(items, { field: "image", values: images.map(({ image }) => image) });
  return { kind: "ImageCommands", meta, images };
}

function imageCommandOf(fields: Fields, file: string): ImageCommand {
  if (fields.saysNothing("command")) fields.report("command", "must have at least one item");
  return {
    image: fields.requiredText("image", patternProblem),
    command: fields.texts("command", nulProblem),
    args: fields.texts("args", nulProblem),
    env: fields.list("env").map((item) => ({
      name: item.requiredText("name", variableNameProblem),
      value: item.text("value", nulProblem) ?? "",
    })),
    ...withWorkingDir(fields.text("workingDir", emptyProblem)),
    source: { file, line: fields.line },
  };
}

/** The first entry whose pattern is the whole of `image`. */
export function imageCommand(
  images: readonly ImageCommand[],
  image: string,
): ImageCommand | undefined {
  return images.find((candidate) => matchesPattern(candidate.image, image));
}

/** What is run for a container on this machine. */
export interface ContainerCommand {
  /** The program and its arguments; not empty. */
  readonly argv: readonly string[];
  /** From the mapping only; every variable of the container itself wins. */
  readonly env: readonly PlainVariable[];
  /** The container's, or else the mapping's; as written. */
  readonly workingDir?: string;
  /** The entry that maps the image to it; absent: the container's own command. */
  readonly mappedAt?: SourceLocation;
}

/**
 * A container's own command, or else that of its image, with the container's arguments after it.
 *
 * @returns undefined for a container with neither, which whoever runs it has to report
 */
export function containerCommand(
  container: Pick<Container, "image" | "command" | "args" | "workingDir">,
  images: readonly ImageCommand[],
): ContainerCommand | undefined {
  const { command, args } = container;
  if (command.length > 0) {
    return { argv: [...command, ...args], env: [], ...withWorkingDir(container.workingDir) };
  }
  const mapped = imageCommand(images, container.image);
  if (mapped === undefined) return undefined;
  return {
    argv: [...mapped.command, ...(args.length > 0 ? args : mapped.args)],
    env: mapped.env,
    ...withWorkingDir(container.workingDir ?? mapped.workingDir),
    mappedAt: mapped.source,
  };
}

function withWorkingDir(workingDir: string | undefined): { readonly workingDir?: string } {
  return workingDir === undefined ? {} : { workingDir };
}

/** Takes the leftmost place for each part between two `*`: enough, and never more than one pass. */
function matchesPattern(pattern: string, text: string): boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return pattern === text;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function patternProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    return `must not be longer than ${MAX_PATTERN_LENGTH} characters`;
  }
  return emptyProblem(pattern);
}

function emptyProblem(text: string): string | undefined {
  return text === "" ? "must not be empty" : nulProblem(text);
}
