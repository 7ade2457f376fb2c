/**
 * What a container may not ask of the kernel: what reaches past its namespaces, and what a program of a pod has no use
 * for but an attacker has. About what container engines refuse by default. A program of classic BPF, as bwrap takes it
 * (seccomp(2)). Pure.
 */

/** Which machines it can be written for; numbers of system calls differ. */
const ARCHITECTURES = {
  x64: { audit: 0xc000_003e, column: 0 },
  arm64: { audit: 0xc000_00b7, column: 1 },
} as const;

type Numbers = readonly [x64: number, arm64: number];

/** Keys of the user's session; files by handles, which no covering mount hides; the kernel's own machinery. */
const REFUSED: readonly Numbers[] = [
  [248, 217], // add_key
  [249, 218], // request_key
  [250, 219], // keyctl
  [304, 265], // open_by_handle_at
  [321, 280], // bpf
  [298, 241], // perf_event_open
  [323, 282], // userfaultfd
];

/** As if the kernel had never heard of them, so that programs fall back: their arguments cannot be looked into. */
const UNKNOWN: readonly Numbers[] = [
  [435, 435], // clone3
  [425, 425], // io_uring_setup
  [426, 426], // io_uring_enter
  [427, 427], // io_uring_register
];

/** Those whose first argument may ask for a user namespace, in which a program is as good as root. */
const MAKES_NAMESPACES: readonly Numbers[] = [
  [56, 220], // clone
  [272, 97], // unshare
];
const SOCKET: Numbers = [41, 198];

const CLONE_NEWUSER = 0x1000_0000;
/** Unix, IPv4, IPv6, netlink, packet. Others, such as vsock, know no network namespaces. */
const FAMILIES = [1, 2, 10, 16, 17];
/** From here on: the x32 system calls of x86-64. */
const X32 = 0x4000_0000;

const LOAD_WORD = 0x20;
const JUMP = { equal: 0x15, "at-least": 0x35, "any-bit": 0x45 } as const;
const JUMP_ALWAYS = 0x05;
const RETURN = 0x06;
/** Where `seccomp_data` holds what. */
const AT = { number: 0, architecture: 4, argument: 16 } as const;

const ALLOW = 0x7fff_0000;
const errorNumber = (number: number): number => 0x0005_0000 | number;
/** EPERM, ENOSYS, EAFNOSUPPORT. */
const RESULTS = {
  allow: ALLOW,
  refuse: errorNumber(1),
  unknown: errorNumber(38),
  "no-such-family": errorNumber(97),
} as const;

type Label = keyof typeof RESULTS | "makes-namespaces" | "socket";
type Step =
  | { readonly label: Label }
  | { readonly load: number }
  /** Goes on with the next step where it does not hold. */
  | { readonly when: keyof typeof JUMP; readonly value: number; readonly go: Label }
  | { readonly unless: number; readonly go: Label }
  | { readonly go: Label }
  | { readonly result: number };

/**
 * @param architecture as `process.arch` names it
 * @returns the program; undefined for a machine whose system calls are not known here
 */
export function systemCallFilter(architecture: string): Buffer | undefined {
  if (architecture !== "x64" && architecture !== "arm64") return undefined;
  const { audit, column } = ARCHITECTURES[architecture];
  const each = (calls: readonly Numbers[], go: Label): readonly Step[] =>
    calls.map((numbers) => ({ when: "equal", value: numbers[column], go }));
  return assemble([
    { load: AT.architecture },
    { unless: audit, go: "unknown" },
    { load: AT.number },
    { when: "at-least", value: X32, go: "unknown" },
    ...each(REFUSED, "refuse"),
    ...each(UNKNOWN, "unknown"),
    ...each(MAKES_NAMESPACES, "makes-namespaces"),
    ...each([SOCKET], "socket"),
    { go: "allow" },
    { label: "makes-namespaces" },
    { load: AT.argument },
    { when: "any-bit", value: CLONE_NEWUSER, go: "refuse" },
    { go: "allow" },
    { label: "socket" },
    { load: AT.argument },
    ...FAMILIES.map((value): Step => ({ when: "equal", value, go: "allow" })),
    { go: "no-such-family" },
    ...(["allow", "refuse", "unknown", "no-such-family"] as const).flatMap((label): Step[] => [
      { label },
      { result: RESULTS[label] },
    ]),
  ]);
}

/** Labels are no instructions; every jump goes forward, and fewer than 256 instructions far. */
function assemble(steps: readonly Step[]): Buffer {
  const labels = new Map<Label, number>();
  const instructions: Exclude<Step, { label: Label }>[] = [];
  for (const step of steps) {
    if ("label" in step) labels.set(step.label, instructions.length);
    else instructions.push(step);
  }
  const written = Buffer.alloc(instructions.length * 8);
  for (const [index, step] of instructions.entries()) {
    const distance = "go" in step ? (labels.get(step.go) ?? 0) - index - 1 : 0;
    const { code, yes = 0, no = 0, operand } = encode(step, distance);
    written.writeUInt16LE(code, index * 8);
    written.writeUInt8(yes, index * 8 + 2);
    written.writeUInt8(no, index * 8 + 3);
    written.writeUInt32LE(operand, index * 8 + 4);
  }
  return written;
}

function encode(
  step: Exclude<Step, { label: Label }>,
  distance: number,
): { code: number; yes?: number; no?: number; operand: number } {
  if ("load" in step) return { code: LOAD_WORD, operand: step.load };
  if ("result" in step) return { code: RETURN, operand: step.result };
  if ("when" in step) return { code: JUMP[step.when], yes: distance, operand: step.value };
  if ("unless" in step) return { code: JUMP.equal, no: distance, operand: step.unless };
  return { code: JUMP_ALWAYS, operand: distance };
}
