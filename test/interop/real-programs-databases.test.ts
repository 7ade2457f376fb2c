/** Databases that know of no mesh, under STRICT: their own clients reach them through two sidecars, and nobody else does. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, describe, test } from "node:test";
import { missingParts } from "../kit/missing-parts.ts";
import { type ProgramsMesh, startProgramsMesh } from "../kit/programs-mesh.ts";
import { until } from "../kit/until.ts";

const skip = missingParts(
  ...["postgresql", "psql", "mariadb-server", "mariadb", "redis-server", "redis-cli"],
);

const POSTGRES = '-h "$POSTGRES_SERVICE_HOST" -p "$POSTGRES_SERVICE_PORT" -U shop';
const PSQL = `env PGPASSWORD=chain-mail psql -qAt -v ON_ERROR_STOP=1 ${POSTGRES} postgres`;
const PGBENCH = `env PGPASSWORD=chain-mail $(ls /usr/lib/postgresql/*/bin/pgbench | tail -n 1) ${POSTGRES}`;
const MARIADB =
  'mariadb --no-defaults --max-allowed-packet=16M -N -h "$MARIADB_SERVICE_HOST" -P "$MARIADB_SERVICE_PORT" -u shop -pchain-mail shop';
const redis = (service: string, program = "redis-cli"): string =>
  `${program} -h "$${service}_SERVICE_HOST" -p "$${service}_SERVICE_PORT"`;

/** How a client asks for something small, and what it says then. */
const CLIENTS = [
  { server: "postgres", port: 5432, script: `${PSQL} -c 'SELECT 6 * 7'`, answer: "42\n" },
  { server: "mariadb", port: 3306, script: `${MARIADB} -e 'SELECT 6 * 7'`, answer: "42\n" },
  { server: "redis", port: 6379, script: `${redis("REDIS")} ping`, answer: "PONG\n" },
  { server: "undeclared", port: 6379, script: `${redis("UNDECLARED")} ping`, answer: "PONG\n" },
] as const;
const CALLER = "spiffe://cluster.local/ns/shop/sa/caller";
/** Well above what any of them takes, and below every wait for who does not speak first. */
const AT_ONCE_MS = 1_000;

describe("databases through two sidecars", { skip }, () => {
  let mesh: ProgramsMesh;

  before(
    async () => {
      mesh = await startProgramsMesh("databases");
      for (const { server, script } of CLIENTS) {
        await until(`${server} to serve`, () =>
          mesh.call(script).then(
            () => true,
            () => false,
          ),
        );
      }
    },
    { timeout: 120_000 },
  );
  after(() => mesh?.stop());

  for (const { server, script, answer } of CLIENTS) {
    test(`${server} answers at once, and its sidecar knows who asked`, async () => {
      const before = performance.now();
      assert.equal(await mesh.call(script), answer);
      const tookMs = performance.now() - before;
      assert.ok(tookMs < AT_ONCE_MS, `it took ${Math.round(tookMs)} ms`);
      const log = await until("an entry", async () => {
        const entries = await mesh.inboundLog(`${server}-0`);
        return entries.length > 0 && entries;
      });
      for (const { protocol, source_principal: caller, decision } of log) {
        assert.deepEqual([protocol, caller, decision?.verdict], ["TCP", CALLER, "allow"]);
      }
    });

    test(`${server} hears nothing of who may not call it`, async () => {
      const { code, output } = await mesh.stranger.runScript(`timeout 10 ${script}`, 20_000);
      assert.equal(output.trim(), "", `ended with ${code}`);
      await until("a refusal", async () => {
        const entries = await mesh.inboundLog(`${server}-0`);
        const refused = entries.filter(({ source_principal: by }) => by?.endsWith("/stranger"));
        assert.ok(refused.every(({ decision }) => decision?.verdict === "deny"));
        assert.ok(refused.every(({ bytes_sent: sent }) => sent === 0));
        return refused.length > 0;
      });
    });

    test(`${server} hears nothing of who brings no certificate`, async () => {
      const { ports } = mesh.mesh.workload(server);
      const listen = ports[0]?.listen ?? assert.fail(`${server} has no port`);
      const direct = script
        .replace(/"\$\w+_SERVICE_HOST"/, listen.address)
        .replace(/"\$\w+_SERVICE_PORT"/, String(listen.port));
      const { status, stdout } = spawnSync("sh", ["-c", `timeout 3 ${direct}`], {
        encoding: "utf8",
      });
      assert.notEqual(status, 0);
      assert.equal(stdout, "");
      // A client of MariaDB waits for the server's first word, and the sidecar for the client's.
      if (server === "mariadb") return;
      await until("a refusal", async () =>
        (await mesh.inboundLog(`${server}-0`)).some(
          ({ decision }) => decision?.reason.because === "plaintext-refused",
        ),
      );
    });
  }

  test("psql moves 20 MB each way by COPY", async () => {
    await mesh.call(`set -e
      ${PSQL} -c 'CREATE TABLE lines (number int, rest text)'
      seq 1 200000 | sed "s/$/\t$(printf '%095d' 7)/" > "$TMPDIR/lines"
      ${PSQL} -c 'COPY lines FROM STDIN' < "$TMPDIR/lines"
      ${PSQL} -c 'COPY lines TO STDOUT' > "$TMPDIR/back"
      cmp "$TMPDIR/lines" "$TMPDIR/back"
      test "$(wc -c < "$TMPDIR/back")" -gt 20000000`);
  });

  test("pgbench finds no error with eight clients", async () => {
    await mesh.call(`${PGBENCH} -i -q postgres`);
    const output = await mesh.call(`${PGBENCH} -c 8 -t 50 postgres`);
    assert.match(output, /number of transactions actually processed: 400\/400/);
    assert.match(output, /number of failed transactions: 0/);
  });

  test("the MariaDB client moves 10 MB each way", async () => {
    const text = "repeat('0123456789', 1000000)";
    const digest = await mesh.call(`${MARIADB} -e "SELECT md5(${text})"`);
    const down = await mesh.call(`${MARIADB} -e "SELECT ${text}" | tr -d '\\n' | md5sum`);
    assert.equal(down.split(" ")[0], digest.trim());
    const statement = `printf "SELECT md5('"; yes 0123456789 | tr -d '\\n' | head -c 10000000; printf "')"`;
    assert.equal(await mesh.call(`{ ${statement}; } | ${MARIADB}`), digest);
  });

  for (const service of ["REDIS", "UNDECLARED"]) {
    test(`redis-benchmark finds no error with twenty clients: ${service}`, async () => {
      for (const options of ["-n 3000 -P 1", "-n 20000 -P 16"]) {
        const bench = redis(service, "redis-benchmark");
        const output = await mesh.call(`${bench} --csv -t set,get,mset -c 20 -d 200 ${options}`);
        assert.equal(output.match(/^"(SET|GET|MSET[^"]*)","\d/gm)?.length, 3, output);
      }
    });
  }
});
