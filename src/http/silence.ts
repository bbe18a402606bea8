import type { IncomingMessage } from 'node:http';
import { Fault } from '../domain/errors.js';

/** Calls `then` once when no byte of the body has come for so many seconds (at most twice as many). Returns what ends the watch. */
export function watchSilence(req: IncomingMessage, seconds: number, then: (fault: Fault) => void): () => void {
  let seen = req.socket.bytesRead;
  const timer = setInterval(() => {
    const { bytesRead } = req.socket;
    // What has come and waits to be taken is our own slowness.
    const silent = bytesRead === seen && req.readableLength === 0 && !req.complete;
    seen = bytesRead;
    if (!silent) return;
    clearInterval(timer);
    then(tooSlow(seconds));
  }, seconds * 1000);
  return () => clearInterval(timer);
}

export function tooSlow(seconds: number): Fault {
  return new Fault(
    'RequestTimeout',
    `The body of the request did not arrive within ${seconds} seconds; send it again.`,
  );
}
