import assert from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { arrangeFiles, type Placement } from "./arrange-files.ts";
import type { HostFiles } from "./host-files.ts";

/** Paths of files and folders (with a slash at the end), and links as `path -> target`. */
function machine(...paths: readonly string[]): HostFiles {
  const links = new Map(
    paths
      .filter((path) => path.includes(" -> "))
      .map((path) => path.split(" -> ") as [string, string]),
  );
  const files = new Set(paths.filter((path) => !path.endsWith("/") && !path.includes(" -> ")));
  const folders = new Set(["/"]);
  for (const path of [
    ...paths.filter((one) => one.endsWith("/")).map((one) => `${one}x`),
    ...files,
    ...links.keys(),
  ]) {
    for (let at = posix.dirname(path); at !== "/"; at = posix.dirname(at)) folders.add(at);
  }
  return {
    lookAt(path) {
      const to = links.get(path);
      if (to !== undefined) return { kind: "link", to };
      return { kind: folders.has(path) ? "folder" : files.has(path) ? "file" : "absent" };
    },
    entries: (folder) =>
      [...folders, ...files, ...links.keys()]
        .filter((path) => path !== "/" && posix.dirname(path) === folder)
        .map((path) => posix.basename(path))
        .sort(),
  };
}

/** One mount a line, as bwrap is told. */
function arranged(placements: readonly Placement[], host: HostFiles, perms?: string): string[] {
  const words = arrangeFiles(placements, { host, ...(perms !== undefined && { perms }) });
  return words
    .join(" ")
    .split(/ (?=--)/)
    .filter((line) => line !== "");
}

const HOST = machine(
  "/bin -> usr/bin",
  "/usr/bin/node",
  "/etc/hosts",
  "/etc/ssl/",
  "/var/lib/",
  "/var/run -> /run",
  "/run/",
  "/home/me/project/data/",
  "/home/other/",
);
const ROOT = ["--symlink usr/bin /bin", "--ro-bind-try /usr /usr"];
const bind = (target: string, source = "/data/source"): Placement => ({
  kind: "read-only",
  target,
  source,
});

test("the machine's own files are seen as they are, and cannot be written", () => {
  assert.deepEqual(arranged([], machine("/bin -> usr/bin", "/usr/bin/node", "/file")), [
    "--symlink usr/bin /bin",
    "--ro-bind-try /file /file",
    "--ro-bind-try /usr /usr",
    "--remount-ro /",
  ]);
});

test("something takes the place of what is there", () => {
  const lines = arranged([bind("/etc/hosts")], HOST);
  assert.ok(lines.includes("--ro-bind-try /etc /etc"));
  assert.equal(lines.indexOf("--ro-bind /data/source /etc/hosts"), lines.length - 2);
});

test("a top-level folder that is not there is made", () => {
  const lines = arranged(
    [{ kind: "writable", target: "/data", source: "/scratch" }],
    machine("/usr/"),
  );
  assert.deepEqual(lines, ["--ro-bind-try /usr /usr", "--bind /scratch /data", "--remount-ro /"]);
});

test("a folder in which something has to be made is made anew, with what it held, and closed", () => {
  const lines = arranged([bind("/etc/config/app.yaml")], HOST);
  const at = lines.indexOf("--tmpfs /etc");
  assert.deepEqual(lines.slice(at, at + 4), [
    "--tmpfs /etc",
    "--ro-bind-try /etc/hosts /etc/hosts",
    "--ro-bind-try /etc/ssl /etc/ssl",
    "--ro-bind /data/source /etc/config/app.yaml",
  ]);
  assert.ok(lines.includes("--remount-ro /etc"));
  assert.ok(!lines.includes("--ro-bind-try /etc /etc"));
});

test("two things in the same new folder open it once", () => {
  const lines = arranged([bind("/etc/config/b"), bind("/etc/config/a")], HOST);
  assert.equal(lines.filter((line) => line === "--tmpfs /etc").length, 1);
  assert.equal(lines.filter((line) => line.startsWith("--ro-bind /data")).length, 2);
});

test("the innermost folder that is there is the one made anew", () => {
  const lines = arranged([bind("/var/lib/postgresql/data")], HOST);
  assert.ok(lines.includes("--ro-bind-try /var /var"));
  assert.ok(lines.includes("--tmpfs /var/lib"));
});

test("links on the way are followed, and what is empty takes anything", () => {
  const run: Placement = { kind: "scratch", target: "/run" };
  const lines = arranged([run, bind("/var/run/secrets/token")], HOST);
  assert.ok(lines.includes("--ro-bind /data/source /run/secrets/token"));
  assert.ok(!lines.some((line) => line === "--tmpfs /var"));
});

test("a file that is a link is put where the link leads", () => {
  const host = machine("/etc/resolv.conf -> ../run/systemd/stub.conf", "/run/systemd/stub.conf");
  const lines = arranged([{ kind: "scratch", target: "/run" }, bind("/etc/resolv.conf")], host);
  assert.ok(lines.includes("--ro-bind /data/source /run/systemd/stub.conf"));
});

test("links that go round in circles are an error", () => {
  const host = machine("/a -> b", "/b -> a");
  assert.throws(() => arranged([bind("/a/x")], host), { code: "HAUBERK_FABRIC" });
});

test("nothing lies below a file", () => {
  assert.throws(() => arranged([bind("/etc/hosts/x")], HOST), /\/etc\/hosts, which is a file/);
});

test("a file cannot stand on a folder: the folder around is made anew", () => {
  const host = machine("/etc/ssl/", "/etc/hosts", "/data/source");
  const lines = arranged([bind("/etc/ssl")], host);
  assert.ok(lines.includes("--tmpfs /etc"));
  assert.ok(!lines.includes("--ro-bind-try /etc/ssl /etc/ssl"));
  assert.ok(lines.includes("--ro-bind /data/source /etc/ssl"));
});

test("what is hidden stays hidden within what is shown again", () => {
  const lines = arranged(
    [
      { kind: "hidden", target: "/home" },
      { kind: "scratch", target: "/home/me" },
      bind("/home/me/project", "/home/me/project"),
      { kind: "hidden", target: "/home/me/project/data" },
    ],
    HOST,
  );
  const order = [
    "--tmpfs /home",
    "--tmpfs /home/me",
    "--ro-bind /home/me/project /home/me/project",
    "--tmpfs /home/me/project/data",
  ];
  assert.deepEqual(
    lines.filter((line) => line.includes("/home") && !line.startsWith("--remount")),
    order,
  );
  assert.ok(
    lines.includes("--remount-ro /home") && lines.includes("--remount-ro /home/me/project/data"),
  );
  assert.ok(!lines.includes("--remount-ro /home/me"), "the own home can be written");
});

test("what is hidden stays hidden in a folder shown within a writable one", () => {
  const host = machine(
    "/tmp/",
    "/scratch/",
    "/tmp/work/project/data/",
    "/tmp/work/project/link -> data",
  );
  const shown: Placement[] = [
    { kind: "writable", target: "/tmp", source: "/scratch" },
    bind("/tmp/work/project", "/tmp/work/project"),
  ];
  for (const target of ["/tmp/work/project/data", "/tmp/work/project/link"]) {
    const lines = arranged([...shown, { kind: "hidden", target }], host);
    assert.ok(lines.includes("--tmpfs /tmp/work/project/data"), target);
  }
  const lines = arranged([...shown, bind("/tmp/work/project/new/file")], host);
  assert.ok(lines.includes("--tmpfs /tmp/work/project"), "nothing is made on the machine");
  assert.ok(lines.includes("--ro-bind-try /tmp/work/project/data /tmp/work/project/data"));
});

test("what is not there need not be hidden", () => {
  assert.deepEqual(
    arranged([{ kind: "hidden", target: "/Users" }], HOST).filter((line) =>
      line.includes("/Users"),
    ),
    [],
  );
});

test("a thing within a writable volume is made there", () => {
  const volume: Placement = { kind: "writable", target: "/tmp", source: "/scratch" };
  const lines = arranged([volume, bind("/tmp/a/b")], machine("/tmp/", "/scratch/"));
  assert.ok(!lines.includes("--tmpfs /tmp"));
  assert.ok(lines.includes("--ro-bind /data/source /tmp/a/b"));
});

test("of two for the same place the later counts", () => {
  const lines = arranged([bind("/etc/hosts", "/one"), bind("/etc/hosts", "/two")], HOST);
  assert.ok(
    lines.includes("--ro-bind /two /etc/hosts") && !lines.some((line) => line.includes("/one")),
  );
});

test("folders on the way can be entered by others where others are to enter", () => {
  const lines = arranged([bind("/etc/a/b/c")], HOST, "1777");
  const at = lines.indexOf("--dir /etc/a");
  assert.deepEqual(lines.slice(at - 1, at + 3), [
    "--perms 0755",
    "--dir /etc/a",
    "--perms 0755",
    "--dir /etc/a/b",
  ]);
  assert.ok(!arranged([bind("/etc/a/b/c")], HOST).includes("--dir /etc/a"));
  assert.ok(ROOT.every((line) => lines.includes(line)));
});
