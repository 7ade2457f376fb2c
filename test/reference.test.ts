/** Keeps the reference true: its pages are printed from the code. `UPDATE_GOLDEN=1` writes them anew. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import type { Command } from "commander";
import { ANALYZERS, ANALYZERS_BY_NAME } from "../src/analysis/analyzers.ts";
import { MESSAGES } from "../src/analysis/finding.ts";
import { PRACTICES } from "../src/analysis/practices.ts";
import { buildProgram } from "../src/cli/program.ts";
import { MESH_FLAGS } from "../src/control/mesh-flags.ts";

const PRINTED =
  "Printed from the code by `UPDATE_GOLDEN=1 node test/run-tests.mjs test/reference.test.ts`.";

const pages: Readonly<Record<string, () => string>> = {
  "docs/reference/analysis.md": printAnalysis,
  "docs/reference/cli.md": printCommands,
  "docs/reference/errors.md": printErrors,
  "docs/reference/flags.md": printFlags,
};

for (const [file, print] of Object.entries(pages)) {
  test(`${file} says what the code says`, () => {
    const text = print();
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(file, text);
    assert.equal(readFileSync(file, "utf8"), text);
  });
}

function printCommands(): string {
  const program = buildProgram();
  const shown = program.commands.filter((command) => !isHidden(program, command));
  const named = shown.flatMap((command): [name: string, command: Command][] =>
    command.commands.length === 0
      ? [[command.name(), command]]
      : command.commands.map((below) => [`${command.name()} ${below.name()}`, below]),
  );
  const sections = named.map(([name, command]) => `## hauberk ${name}\n\n${helpOf(command)}`);
  return `# Command line\n\n${PRINTED}\n\n${helpOf(program)}\n${sections.join("\n")}`;
}

function isHidden(program: Command, command: Command): boolean {
  return !program.createHelp().visibleCommands(program).includes(command);
}

function helpOf(command: Command): string {
  command.configureHelp({ helpWidth: 100 });
  let text = "";
  command.configureOutput({
    writeOut: (part) => {
      text += part;
    },
  });
  command.outputHelp();
  return `\`\`\`\n${text.trimEnd()}\n\`\`\`\n`;
}

/** What a table's cell may hold: bars end it, and angle brackets would be tags. */
function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;").replaceAll("\n", "; ");
}

function printAnalysis(): string {
  const codes = MESSAGES.map(
    ({ code, name, level, template }) => `| \`${code}\` | ${name} | ${level} | ${cell(template)} |`,
  );
  const analyzers = [...ANALYZERS, ...ANALYZERS_BY_NAME].map(
    ({ name, about }) => `| \`${name}\` | ${cell(about)} |`,
  );
  const practices = PRACTICES.map(
    ({ id, practice, fix }) => `| \`${id}\` | ${cell(practice)} | ${cell(fix)} |`,
  );
  return [
    `# What \`analyze\` and \`audit\` say\n\n${PRINTED}\n`,
    "Codes that begin with IST are istioctl's, with its levels and words; those that begin with HBK are ours. `%s` and the like stand for names and values.\n",
    `## Codes\n\n| code | name | level | words |\n|---|---|---|---|\n${codes.join("\n")}\n`,
    `## Analyzers\n\n| name | what it finds |\n|---|---|\n${analyzers.join("\n")}\n`,
    `## Practices\n\n| id | practice | what to do where it is not met |\n|---|---|---|\n${practices.join("\n")}\n`,
  ].join("\n");
}

function printFlags(): string {
  const intro =
    "Flags of Istio that concern security, by Istio's names and set where Istio's users set them. What is not honoured is said, with what happens instead. `describe` and `explain` read the same environment as `up`.";
  const places = MESH_FLAGS.map(({ title, flags }) => {
    const rows = flags.map(
      ({ name, fallback, rule, instead }) =>
        `| \`${name.replaceAll(", ", "`, `")}\` | ${fallback} | ${rule} | ${instead === undefined ? "yes" : `no: ${instead}`} |`,
    );
    return `## ${title}\n\n| flag | default | rule | honoured |\n|---|---|---|---|\n${rows.join("\n")}\n`;
  });
  return `# Flags\n\n${PRINTED}\n\n${intro}\n\n${places.join("\n")}`;
}

/** Each error class stands with its code and the sentence above it. */
function printErrors(): string {
  const rows = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter(
      (file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.startsWith("wire/gen"),
    )
    .flatMap((file) => errorsIn(readFileSync(`src/${file}`, "utf8"), file))
    .sort();
  assert.ok(rows.length > 5, "the search finds the error classes");
  const head = "| code | what went wrong | where |\n|---|---|---|\n";
  return `# Errors\n\n${PRINTED}\n\nCodes are stable; messages are not.\n\n${head}${rows.join("\n")}\n`;
}

const ERROR_CLASS =
  /(?:\/\*\*((?:(?!\*\/)[\s\S])*?)\*\/\n)?export class (\w+) extends HauberkError \{\s*(?:override )?readonly code(?:: [^=]+)? = "(HAUBERK_\w+)"/g;

function errorsIn(text: string, file: string): string[] {
  return [...text.matchAll(ERROR_CLASS)].map(([, comment, name = "", code]) => {
    const words = (comment ?? "").replace(/\s*\n?\s*\*\s?/g, " ").trim();
    assert.notEqual(words, "", `${name} in ${file} needs a sentence`);
    return `| \`${code}\` | ${words} | \`${file}\` |`;
  });
}
