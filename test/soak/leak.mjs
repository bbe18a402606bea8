/**
 * Loaded into a gateway, with what it shall leak as the query of its URL: shows that a soak sees it. `memory`: a KiB of each request, of
 * V8's heap; `native`: four outside of it; `handles`: a descriptor and a timer of each hundredth request.
 */
import { subscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';

const held = [];
const timers = [];
let requests = 0;
const leaks = {
  memory: () => held.push(new Array(128).fill(requests)),
  native: () => held.push(new Uint8Array(4096).fill(1)),
  handles: () => {
    if (requests % 100 !== 0) return;
    openSync('/dev/null');
    timers.push(setInterval(() => undefined, 3_600_000));
  },
};
const leak = leaks[new URL(import.meta.url).search.slice(1)];
subscribe('http.server.request.start', () => {
  requests += 1;
  leak();
});
// They keep no process that was told to end.
process.once('SIGTERM', () => timers.forEach(clearInterval));
