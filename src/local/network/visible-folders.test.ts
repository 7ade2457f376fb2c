import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFiles } from "./host-files.ts";
import { visibleFolders } from "./visible-folders.ts";

const DATA = "/home/me/project/.hauberk";
const everything: HostFiles = { lookAt: () => ({ kind: "folder" }), entries: () => [] };
const shown = (path: string, named: readonly string[] = [], host = everything): readonly string[] =>
  visibleFolders({
    hidden: ["/home", "/root", "/home/me"],
    dataDirectory: DATA,
    path,
    named,
    host,
  });

const cases: [what: string, path: string, folders: string[]][] = [
  ["programs of the system need nothing", "/usr/bin:/usr/local/bin/", []],
  [
    "an installation comes whole",
    "/home/me/.nvm/versions/node/v20/bin",
    ["/home/me/.nvm/versions/node/v20"],
  ],
  ["a folder of the home itself comes alone", "/home/me/bin", ["/home/me/bin"]],
  [
    "another's home comes no more than one's own",
    "/home/other/bin:/root/bin",
    ["/home/other/bin", "/root/bin"],
  ],
  [
    "keys and credentials beside programs stay hidden",
    "/home/me/.local/bin",
    [".local/bin", ".local/lib", ".local/lib64", ".local/libexec"].map(
      (name) => `/home/me/${name}`,
    ),
  ],
  ["a home on the PATH is not shown", "/home/me:/home:/root", []],
  ["what is relative is left out", "bin:.", []],
  ["each once", "/root/.pyenv/bin:/root/.pyenv/shims/", ["/root/.pyenv"]],
];
for (const [what, path, folders] of cases) {
  test(what, () => assert.deepEqual(shown(path), folders));
}

test("another mesh, whose programs the user has on the PATH, is not shown", () => {
  const lookAt = (path: string) =>
    ({ kind: path.endsWith("/west/ca/ledger.json") ? "file" : "folder" }) as const;
  const path = "/home/me/west/bin:/home/me/tools/bin";
  assert.deepEqual(shown(path, [], { ...everything, lookAt }), ["/home/me/tools"]);
});

test("folders are shown that the user names, but no home, and nothing around one", () => {
  assert.deepEqual(shown("", ["/home/me/project", "/home/me", "/home", "/", "/srv/project"]), [
    "/home/me/project",
  ]);
});

test("of the data directory only what is named is shown, and never the whole", () => {
  assert.deepEqual(shown(`${DATA}/tool/bin:${DATA}/bin`, [DATA, `${DATA}/mesh`]), [`${DATA}/mesh`]);
  assert.deepEqual(shown("", ["/home/me/project"]), ["/home/me/project"], "it is hidden again");
});

test("what is not there is not shown", () => {
  const nothing = { lookAt: () => ({ kind: "absent" }) as const, entries: () => [] };
  assert.deepEqual(
    visibleFolders({
      hidden: ["/root"],
      dataDirectory: DATA,
      path: "/root/a/bin",
      named: ["/root/b"],
      host: nothing,
    }),
    [],
  );
});
