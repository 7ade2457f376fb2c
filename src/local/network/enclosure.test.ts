import assert from "node:assert/strict";
import { test } from "node:test";
import { type ContainerEnclosure, encloseContainer, encloseSidecar } from "./enclosure.ts";
import { meshNamespaceCommand } from "./mesh-namespace.ts";

const folders = ["/", "/usr", "/home", "/home/me", "/home/me/project", "/srv", "/srv/.hauberk"];
const ENCLOSURE: ContainerEnclosure = {
  user: "ordinary",
  networkNamespace: "/srv/.hauberk/network/pod0-2",
  hostname: "api-0",
  command: ["node", "server.js"],
  environment: { PATH: "/usr/bin", PORT: "8080" },
  workingDirectory: "/home/me/project",
  temporaryFolder: "/srv/.hauberk/pods/api-0/tmp",
  volumes: [],
  dataDirectory: "/srv/.hauberk",
  home: "/home/me",
  visible: ["/home/me/project"],
  host: {
    lookAt: (path) => ({ kind: folders.includes(path) ? "folder" : "absent" }),
    entries: (folder) => (folder === "/" ? ["home", "usr", "work"] : []),
  },
};

/** Programs by their names alone: where they are differs from machine to machine. */
function words(command: readonly string[]): string {
  return command
    .map((word) => word.replace(/^\/\S*\/(nsenter|setpriv|bwrap|unshare|mount)$/, "$1"))
    .join(" ");
}

test("an ordinary user's container: privileges go first, then a user namespace of its own", () => {
  const text = words(encloseContainer(ENCLOSURE).command);
  assert.match(
    text,
    /^nsenter --net=\S+pod0-2 -- setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs -- bwrap --die-with-parent /,
  );
  assert.match(
    text,
    / --unshare-pid --unshare-ipc --unshare-uts --hostname api-0 --cap-drop ALL --unshare-user /,
  );
  assert.match(text, / --chdir \/home\/me\/project -- node server\.js$/);
});

test("root's container: its files are arranged as root, and everything is given up inside", () => {
  const text = words(encloseContainer({ ...ENCLOSURE, user: "root" }).command);
  assert.match(text, /^nsenter --net=\S+ -- bwrap /);
  assert.doesNotMatch(text, /--unshare-user/);
  assert.match(
    text,
    / -- setpriv --inh-caps=-all --ambient-caps=-all --bounding-set=-all --no-new-privs --reuid=1000 --regid=1000 --clear-groups -- node server\.js$/,
  );
  const added = [...text.matchAll(/--cap-add (\S+)/g)].map(([, name]) => name);
  assert.deepEqual(added, ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"]);
});

test("homes and the data directory are hidden, the manifests' folder is shown", () => {
  const text = words(encloseContainer(ENCLOSURE).command);
  for (const expected of [
    "--tmpfs /home",
    "--tmpfs /home/me",
    "--ro-bind /home/me/project /home/me/project",
    "--tmpfs /srv/.hauberk",
    "--remount-ro /srv/.hauberk",
    "--bind /srv/.hauberk/pods/api-0/tmp /tmp",
  ]) {
    assert.ok(text.includes(` ${expected} `), expected);
  }
});

test("a manifests' folder below /tmp is shown, the data directory in it is not", () => {
  const own = ["/", "/tmp", "/tmp/try", "/tmp/try/.hauberk"];
  const text = words(
    encloseContainer({
      ...ENCLOSURE,
      visible: ["/tmp/try"],
      dataDirectory: "/tmp/try/.hauberk",
      host: {
        lookAt: (path) => ({ kind: own.includes(path) ? "folder" : "absent" }),
        entries: () => [],
      },
    }).command,
  );
  assert.match(
    text,
    /--bind \S+ \/tmp --ro-bind \/tmp\/try \/tmp\/try --tmpfs \/tmp\/try\/\.hauberk /,
  );
});

test("a covered folder is empty where it would be seen, also by a link, and is not named where it would not", () => {
  const own = ["/", "/home", "/real", "/real/keys", "/opt", "/opt/other"];
  const text = words(
    encloseContainer({
      ...ENCLOSURE,
      visible: ["/home/me/link"],
      covered: ["/real/keys", "/opt/other", "/home/me/secret"],
      withheld: ["/real/file"],
      host: {
        lookAt: (path) => {
          if (path === "/home/me/link") return { kind: "link", to: "/real" };
          return { kind: own.includes(path) ? "folder" : "absent" };
        },
        entries: () => [],
      },
    }).command,
  );
  for (const place of ["/real/keys", "/opt/other"]) {
    assert.match(text, new RegExp(` --tmpfs ${place} `), place);
    assert.match(text, new RegExp(` --remount-ro ${place} `), place);
  }
  assert.doesNotMatch(text, /secret/);
});

test("a folder for temporary files is empty, wherever it is: sockets of the mesh lie there", () => {
  const text = words(encloseContainer({ ...ENCLOSURE, temporary: ["/usr/", "/tmp", "/"] }).command);
  assert.match(text, / --tmpfs \/usr /);
  assert.equal(text.match(/ \/tmp /g)?.length, 1);
});

test("a file that is withheld is not there, and what is beside it is", () => {
  const kinds = { "/srv": "folder", "/srv/a.yaml": "file", "/srv/programs": "folder" } as const;
  const { command } = encloseContainer({
    ...ENCLOSURE,
    withheld: ["/srv/a.yaml", "/srv/gone.yaml"],
    host: {
      lookAt: (path) => ({ kind: kinds[path as keyof typeof kinds] ?? "absent" }),
      entries: (folder) => (folder === "/srv" ? ["a.yaml", "programs"] : []),
    },
  });
  const text = words(command);
  assert.match(text, / --tmpfs \/srv --ro-bind-try \/srv\/programs \/srv\/programs /);
  assert.match(text, / --remount-ro \/srv /);
  assert.doesNotMatch(text, /yaml/);
});

test("the filter of system calls is read by what encloses, over a descriptor of its own", () => {
  const { command } = encloseContainer({ ...ENCLOSURE, systemCallFilter: "/srv/.hauberk/filter" });
  assert.match(
    words(command),
    / --no-new-privs -- \/bin\/sh -c .* 9<"\$filter" enclose \/srv\/\.hauberk\/filter bwrap --seccomp 9 --die-with-parent /,
  );
});

test("no volume uncovers the data directory", () => {
  const volumes = [
    { source: "/srv/.hauberk", target: "/srv/.hauberk", mode: "read-only" },
  ] as const;
  const text = words(encloseContainer({ ...ENCLOSURE, volumes }).command);
  assert.doesNotMatch(text, /--ro-bind \/srv\/\.hauberk /);
  assert.match(text, /--tmpfs \/srv\/\.hauberk /);
});

test("what loaders heed is kept from the programs around, and set inside", () => {
  const environment = {
    PATH: "/usr/bin",
    LD_PRELOAD: "/x.so",
    GLIBC_TUNABLES: "a=b",
    GCONV_PATH: "/x",
    LDAP_HOST: "kept",
    TMPDIR: "/tmp",
  };
  const enclosed = encloseContainer({ ...ENCLOSURE, environment });
  assert.deepEqual(enclosed.environment, { PATH: "/usr/bin", LDAP_HOST: "kept", TMPDIR: "/tmp" });
  assert.match(
    words(enclosed.command),
    / -- \/usr\/bin\/env LD_PRELOAD=\/x\.so GLIBC_TUNABLES=a=b GCONV_PATH=\/x node server\.js$/,
  );
});

test("what a shell heeds is kept from the one around: some systems call bash by the name of sh", () => {
  const heeded = ["ENV", "BASH_ENV", "SHELLOPTS", "BASHOPTS", "PS4", "IFS", "BASH_FUNC_exec%%"];
  const environment = Object.fromEntries([...heeded, "PATH"].map((name) => [name, "x"]));
  const enclosed = encloseContainer({ ...ENCLOSURE, environment });
  assert.deepEqual(enclosed.environment, { PATH: "x" });
  for (const name of heeded) assert.ok(enclosed.command.includes(`${name}=x`), name);
});

test("a sidecar keeps what marks its sockets, or, where the mesh is root's, nothing", () => {
  const sidecar = { ...ENCLOSURE, folders: [], command: ["node", "main.js"] } as const;
  const ordinary = words(encloseSidecar(sidecar));
  assert.match(ordinary, /^nsenter --net=\S+ -- unshare --mount -- \/bin\/sh -c /);
  assert.match(
    ordinary,
    / mount \/srv\/\.hauberk setpriv --inh-caps=-all,\+net_admin --ambient-caps=-all,\+net_admin --bounding-set=-all,\+net_admin --no-new-privs -- node main\.js$/,
  );
  const root = words(encloseSidecar({ ...sidecar, user: "root" }));
  assert.match(
    root,
    /--bounding-set=-all --no-new-privs --reuid=1337 --regid=1337 --clear-groups -- node main\.js$/,
  );
});

test("a sidecar gets single folders opened, one after the other in the place of the data directory", () => {
  const [admin, shared] = ["admin", "workload-api"].map(
    (name) => `/srv/.hauberk/pods/shop/web-0/${name}`,
  );
  assert.ok(admin && shared);
  const folders = [
    { source: admin, descriptor: 9 },
    { source: shared, descriptor: 8 },
  ];
  const text = words(encloseSidecar({ ...ENCLOSURE, folders, command: ["node", "main.js"] }));
  assert.ok(
    text.includes(
      'exec 9<"$3" && exec 8<"$4" && "$1" -c --bind /proc/self/fd/9 "$2" && exec 9<"$2" && "$1" -c --bind /proc/self/fd/8 "$2" && exec 8<"$2" && shift 4 && exec "$@" sidecar ',
    ),
    text,
  );
  assert.ok(text.includes(` mount /srv/.hauberk ${admin} ${shared} setpriv `), text);
  assert.doesNotMatch(text, /tmpfs/);
});

test("an ordinary user needs a user namespace, in which it is not root; root needs none", () => {
  assert.match(
    words(meshNamespaceCommand("ordinary", ["node", "main.js"])),
    /^unshare --user --map-user=1000 --map-group=1000 --keep-caps --net --mount -- node main\.js$/,
  );
  assert.equal(words(meshNamespaceCommand("root", ["node"])), "unshare --net --mount -- node");
});
