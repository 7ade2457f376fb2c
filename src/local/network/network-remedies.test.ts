import assert from "node:assert/strict";
import { test } from "node:test";
import { explainTrial, type MachineFacts, missingPrograms } from "./network-remedies.ts";
import { readOutcome, type TrialStep } from "./network-trial.ts";

const MACHINE: MachineFacts = {
  user: "ordinary",
  settings: { "user.max_user_namespaces": "96365" },
  container: "none",
  packageManager: "apt-get",
};

const cases: [
  what: string,
  step: TrialStep,
  words: string,
  facts: Partial<MachineFacts>,
  remedy: RegExp,
][] = [
  [
    "no user namespaces at all",
    "namespaces",
    "unshare failed: No space left on device",
    { settings: { "user.max_user_namespaces": "0" } },
    /^sudo sysctl -w user\.max_user_namespaces=15000$/,
  ],
  [
    "Debian's switch",
    "namespaces",
    "Operation not permitted",
    { settings: { "kernel.unprivileged_userns_clone": "0" } },
    /^sudo sysctl -w kernel\.unprivileged_userns_clone=1$/,
  ],
  [
    "Ubuntu's AppArmor, which only takes the capabilities away",
    "files",
    "permission denied",
    { settings: { "kernel.apparmor_restrict_unprivileged_userns": "1" } },
    /^sudo sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0$/,
  ],
  [
    "seccomp of a container",
    "namespaces",
    "Operation not permitted",
    { container: "docker" },
    /^docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined --security-opt apparmor=unconfined \.\.\.$/,
  ],
  [
    "root of a container",
    "namespaces",
    "Operation not permitted",
    { container: "docker", user: "root" },
    /--cap-add SYS_ADMIN --cap-add NET_ADMIN/,
  ],
  [
    "masked settings in podman",
    "settings",
    "Read-only file system",
    { container: "podman" },
    /^podman run .*unmask=ALL/,
  ],
  [
    "a missing kernel module",
    "bridge",
    "Error: Unknown device type.",
    {},
    /^sudo modprobe -a bridge veth /,
  ],
  [
    "an old util-linux",
    "namespaces",
    "unshare: unrecognized option '--map-user=1000'",
    {},
    /^sudo apt-get install -y util-linux/,
  ],
  [
    "BusyBox",
    "namespaces",
    "BusyBox v1.36",
    { packageManager: "apk" },
    /^sudo apk add util-linux-misc setpriv/,
  ],
  [
    "a program that a sidecar cannot read",
    "sidecar",
    "cannot open /root/main.js: Permission denied",
    { user: "root" },
    /every user can read/,
  ],
];
for (const [what, step, words, facts, remedy] of cases) {
  test(`knows what to do about ${what}`, () => {
    const found = explainTrial({ result: "failed", step, words }, { ...MACHINE, ...facts });
    assert.equal(found.because, words);
    assert.match(found.remedy, remedy);
  });
}

test("a long complaint is cut short", () => {
  const words = Array.from({ length: 50 }, () => "x".repeat(200)).join("\n");
  const { because } = explainTrial({ result: "failed", step: "rules", words }, MACHINE);
  assert.equal(because.length, 400);
});

test("missing programs are named by package, with the system's own command", () => {
  const missing = missingPrograms(["unshare", "nsenter", "ip"], { packageManager: "dnf" });
  assert.deepEqual(missing, [
    {
      what: "util-linux",
      because: "unshare, nsenter are not installed",
      remedy: "sudo dnf install -y util-linux",
    },
    { what: "iproute2", because: "ip is not installed", remedy: "sudo dnf install -y iproute" },
  ]);
});

test("the last step that was begun is the one that failed", () => {
  assert.deepEqual(readOutcome("files\nbridge\n", "no"), {
    result: "failed",
    step: "bridge",
    words: "no",
  });
  assert.deepEqual(readOutcome("", "no"), { result: "failed", step: "namespaces", words: "no" });
  assert.deepEqual(readOutcome("files\nsidecar\npassed\n", ""), { result: "passed" });
});
