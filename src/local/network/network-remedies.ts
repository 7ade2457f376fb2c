/** What to do where a machine does not allow a mesh of network namespaces: the exact command, as far as it can be known. Pure. */
import type { MeshUser } from "./host-side.ts";
import type { TrialOutcome, TrialStep } from "./network-trial.ts";
import { PROGRAM_PACKAGES, type SystemProgram } from "./system-programs.ts";

export interface Obstacle {
  readonly what: string;
  /** In the words of the tool that failed, or of the setting. */
  readonly because: string;
  /** The command that would allow it. */
  readonly remedy: string;
}

export interface MachineFacts {
  readonly user: MeshUser;
  /** Settings of the kernel, by name; those that this kernel does not have are absent. */
  readonly settings: Readonly<Record<string, string>>;
  readonly container: "docker" | "podman" | "none";
  /** The first package manager that is there. */
  readonly packageManager: PackageManager | undefined;
}

const INSTALL = {
  "apt-get": "sudo apt-get install -y",
  dnf: "sudo dnf install -y",
  pacman: "sudo pacman -S --noconfirm",
  apk: "sudo apk add",
  zypper: "sudo zypper install -y",
} as const;
export type PackageManager = keyof typeof INSTALL;
export const PACKAGE_MANAGERS: readonly PackageManager[] = [
  "apt-get",
  "dnf",
  "pacman",
  "apk",
  "zypper",
];

/** Where a package is called otherwise than at Debian. */
const OTHER_NAMES: Partial<Record<PackageManager, Readonly<Record<string, string>>>> = {
  dnf: { iproute2: "iproute" },
  apk: { "util-linux": "util-linux-misc setpriv mount umount" },
};

/** A value that forbids, and what must be there instead. */
const FORBIDDING_SETTINGS = [
  { name: "user.max_user_namespaces", forbids: "0", instead: "15000" },
  { name: "kernel.unprivileged_userns_clone", forbids: "0", instead: "1" },
  { name: "kernel.apparmor_restrict_unprivileged_userns", forbids: "1", instead: "0" },
] as const;
export const SETTINGS: readonly string[] = FORBIDDING_SETTINGS.map(({ name }) => name);

const KERNEL_MODULES =
  "bridge veth nf_tables nf_conntrack nft_chain_nat nft_nat nft_redir nft_reject_inet nft_ct nft_numgen";

const WHAT: Readonly<Record<TrialStep, string>> = {
  namespaces: "namespaces of its own",
  files: "a file system of its own",
  bridge: "a bridge",
  pod: "a network for each pod",
  settings: "ports below 1024 for pods",
  rules: "rules in the kernel (nftables)",
  container: "enclosed containers (bubblewrap)",
  sidecar: "sidecars with a user of their own",
};

/** @returns one obstacle for each package */
export function missingPrograms(
  missing: readonly SystemProgram[],
  { packageManager }: Pick<MachineFacts, "packageManager">,
): readonly Obstacle[] {
  const packages = new Set(missing.map((program) => PROGRAM_PACKAGES[program]));
  return [...packages].map((name) => {
    const programs = missing.filter((program) => PROGRAM_PACKAGES[program] === name);
    return {
      what: name,
      because: `${programs.join(", ")} ${programs.length === 1 ? "is" : "are"} not installed`,
      remedy: installCommand(name, packageManager),
    };
  });
}

/** @returns what stands in the way, the likeliest cause first */
export function explainTrial(
  { step, words }: TrialOutcome & { readonly result: "failed" },
  facts: MachineFacts,
): Obstacle {
  const what = WHAT[step];
  const because = words.split("\n").slice(0, 3).join("; ").slice(0, 400);
  return { what, because, remedy: remedyFor({ step, words }, facts) };
}

function remedyFor(
  { step, words }: { readonly step: TrialStep; readonly words: string },
  facts: MachineFacts,
): string {
  if (/unrecognized option|invalid option|unknown option|BusyBox/i.test(words)) {
    const name = step === "container" ? "bubblewrap" : "util-linux";
    return `${installCommand(name, facts.packageManager)} (a newer one)`;
  }
  if (step === "sidecar" && /Permission denied|cannot open/.test(words)) {
    return "put hauberk and node where every user can read them, such as /opt, or start it as an ordinary user";
  }
  const setting = facts.user === "root" ? undefined : forbiddingSetting(facts);
  if (setting !== undefined) return setting;
  if (facts.container !== "none") return containerRemedy(facts);
  if (step === "bridge" || step === "pod" || step === "rules") {
    return `sudo modprobe -a ${KERNEL_MODULES}`;
  }
  if (step === "namespaces" && facts.user === "ordinary") {
    return "sudo sysctl -w user.max_user_namespaces=15000";
  }
  return "start it where a user may make namespaces, such as a virtual machine of your own";
}

function forbiddingSetting({ settings }: MachineFacts): string | undefined {
  const found = FORBIDDING_SETTINGS.find(({ name, forbids }) => settings[name] === forbids);
  return found && `sudo sysctl -w ${found.name}=${found.instead}`;
}

/** Its defaults forbid namespaces (seccomp), settings and a fresh /proc (masked paths), and for root the capabilities. */
function containerRemedy({ container, user }: MachineFacts): string {
  const unmask = container === "podman" ? "unmask=ALL" : "systempaths=unconfined";
  const options = [
    "seccomp=unconfined",
    unmask,
    container === "podman" ? "label=disable" : "apparmor=unconfined",
  ].map((option) => `--security-opt ${option}`);
  const capabilities = user === "root" ? ["--cap-add SYS_ADMIN", "--cap-add NET_ADMIN"] : [];
  return [`${container} run`, ...options, ...capabilities, "..."].join(" ");
}

function installCommand(name: string, manager: PackageManager | undefined): string {
  if (manager === undefined) return `install ${name} with your system's package manager`;
  return `${INSTALL[manager]} ${OTHER_NAMES[manager]?.[name] ?? name}`;
}
