import assert from "node:assert/strict";
import { test } from "node:test";
import { type ContainerEntrance, enterContainer } from "./enter-container.ts";

const ENTRANCE: ContainerEntrance = {
  user: "ordinary",
  processId: 42,
  command: ["pg_isready", "--quiet"],
  environment: { PATH: "/usr/bin", LD_PRELOAD: "/x.so" },
  workingDirectory: "/srv",
};

/** Programs by their names alone: where they are differs from machine to machine. */
function words(command: readonly string[]): string {
  return command.map((word) => word.replace(/^\/\S*\/(nsenter|setpriv)$/, "$1")).join(" ");
}

test("a probe joins all namespaces of an ordinary user's container, and gains nothing by it", () => {
  assert.equal(
    words(enterContainer(ENTRANCE).command),
    "setpriv --no-new-privs -- nsenter --target=42 --mount --uts --ipc --net --pid " +
      "--user --preserve-credentials -- /usr/bin/env --chdir=/srv LD_PRELOAD=/x.so pg_isready --quiet",
  );
});

test("in a mesh of root's it is the application's user before it opens a file of the container", () => {
  assert.match(
    words(enterContainer({ ...ENTRANCE, user: "root" }).command),
    / --pid --setuid=1000 --setgid=1000 -- \/usr\/bin\/env /,
  );
});

test("what loaders heed is set inside alone", () => {
  assert.deepEqual(enterContainer(ENTRANCE).environment, { PATH: "/usr/bin" });
});
