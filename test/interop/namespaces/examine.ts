/** Prints what this machine does not allow its user. */
import { examineNetwork } from "../../../src/local/network/network-capability.ts";

const examined = await examineNetwork();
const obstacles = examined.allowed ? [] : examined.obstacles;
process.stdout.write(obstacles.map(({ what, because }) => `${what}: ${because}`).join("; "));
