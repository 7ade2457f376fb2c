import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFiles } from "./host-files.ts";
import { visibleFolders } from "./visible-folders.ts";

const DATA = "/home/me/project/.hauberk";
/** Folders, but for what makes one an installation, or a mesh's. */
const MARKS = /\/(include\/node|pkg\/tool|lib\/modules|pyvenv\.cfg|conda-meta|ca\/ledger\.json)$/;
const everything: HostFiles = {
  lookAt: (path) => ({ kind: MARKS.test(path) ? "absent" : "folder" }),
  entries: () => [],
};
/** The same, with one thing more. */
const withOne = (there: string, kind: "file" | "folder"): HostFiles => ({
  ...everything,
  lookAt: (path) => (path === there ? { kind } : everything.lookAt(path)),
});
const beside = (around: string, ...names: readonly string[]): string[] =>
  names.map((name) => `${around}/${name}`);
const shown = (path: string, named: readonly string[] = [], host = everything): readonly string[] =>
  visibleFolders({
    hidden: ["/home", "/root", "/home/me"],
    secret: [DATA],
    path,
    named,
    host,
  });

const cases: [what: string, path: string, folders: string[]][] = [
  ["programs of the system need nothing", "/usr/bin:/usr/local/bin/", []],
  [
    "programs come with their libraries, and nothing else of what is around them",
    "/home/me/work/bin",
    beside("/home/me/work", "bin", "lib", "lib64", "libexec", "share"),
  ],
  [
    "installers keep credentials beside programs",
    "/home/me/.pulumi/bin",
    beside("/home/me/.pulumi", "bin", "lib", "lib64", "libexec", "share"),
  ],
  [
    "packages come with those that they need",
    "/home/me/project/node_modules/.bin",
    ["/home/me/project/node_modules"],
  ],
  ["a folder of the home itself comes alone", "/home/me/bin", ["/home/me/bin"]],
  [
    "another's home comes no more than one's own",
    "/home/other/bin:/root/bin",
    ["/home/other/bin", "/root/bin"],
  ],
  [
    "keys that desktops keep beside programs stay hidden",
    "/home/me/.local/bin",
    beside("/home/me/.local", "bin", "lib", "lib64", "libexec"),
  ],
  ["a home on the PATH is not shown", "/home/me:/home:/root", []],
  ["what is relative is left out", "bin:.", []],
  ["each once", "/root/.pyenv/bin:/root/.pyenv/shims/", ["/root/.pyenv"]],
];
for (const [what, path, folders] of cases) {
  test(what, () => assert.deepEqual(shown(path), folders));
}

const INSTALLED: readonly (readonly [mark: string, kind: "file" | "folder"])[] = [
  ["include/node", "folder"],
  ["pkg/tool", "folder"],
  ["lib/modules", "file"],
  ["pyvenv.cfg", "file"],
  ["conda-meta", "folder"],
];
for (const [mark, kind] of INSTALLED) {
  test(`an installation comes whole, known by its ${mark}`, () => {
    const around = "/home/me/tools/one";
    const host = withOne(`${around}/${mark}`, kind);
    assert.deepEqual(shown(`${around}/bin`, [], host), [around]);
  });
}

test("another mesh, whose programs the user has on the PATH, is not shown", () => {
  const path = "/home/me/west/bin:/root/bin";
  assert.deepEqual(shown(path, [], withOne("/home/me/west/ca/ledger.json", "file")), ["/root/bin"]);
});

test("folders are shown that the user names, but no home, and nothing around one", () => {
  assert.deepEqual(shown("", ["/home/me/project", "/home/me", "/home", "/", "/srv/project"]), [
    "/home/me/project",
  ]);
});

const linked = (links: Readonly<Record<string, string>>): HostFiles => ({
  ...everything,
  lookAt: (path) => {
    const to = links[path];
    return to === undefined ? everything.lookAt(path) : { kind: "link", to };
  },
});

const namedLinks: [what: string, link: string, to: string, folders: string[]][] = [
  ["within a home", "/home/me/link", "work/mesh", ["/home/me/link", "/home/me/work/mesh"]],
  ["from elsewhere into one", "/srv/link", "/home/me/mesh", ["/home/me/mesh"]],
  ["out of a home", "/home/me/link", "/srv/mesh", ["/home/me/link"]],
  ["to a home", "/home/me/link", "/home/me", []],
  ["to what is around homes", "/home/me/link", "/", []],
  ["to the data directory", "/home/me/link", DATA, []],
  ["into the data directory", "/home/me/link", `${DATA}/ca`, []],
  ["to itself", "/home/me/link", "link", []],
];
for (const [what, link, to, folders] of namedLinks) {
  test(`a folder that the user names by a link is shown under both names: ${what}`, () =>
    assert.deepEqual(shown("", [link], linked({ [link]: to })), folders));
}

test("a link to where the data directory really lies shows nothing of it", () => {
  const host = linked({
    "/home/me/project": "/home/me/real",
    "/home/me/link": "/home/me/real/.hauberk",
  });
  assert.deepEqual(shown("", ["/home/me/link"], host), []);
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
      secret: [DATA],
      path: "/root/a/bin",
      named: ["/root/b"],
      host: nothing,
    }),
    [],
  );
});
