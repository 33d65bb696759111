// Measures the release of the browser side. `make bench` builds it and names the binary in COMPTOIR_BIN.

import config from "./playwright.config";
import { phone } from "./screens";

export default { ...config, testDir: "bench", retries: 0, timeout: 180_000, projects: [{ name: "phone", use: phone }] };
