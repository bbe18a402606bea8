import type { Claim, Store } from '../../store/store.js';
import { Cancelled, LeaseLost } from './ending.js';

export interface Lease {
  /** Stops renewing. */
  end(): void;
}

interface LeaseOptions {
  store: Store;
  claim: Claim;
  seconds: number;
  /** Called once for each reason: the lease is gone, or somebody asked for a cancel. */
  onEnd(reason: LeaseLost | Cancelled): void;
  onError(error: unknown): void;
}

/**
 * Renews a claim until `end`. When the store cannot be reached for as long as the lease lasts, it counts as lost: another worker may
 * have it by then.
 */
export function keepLease({ store, claim, seconds, onEnd, onError }: LeaseOptions): Lease {
  let ended = false;
  let validUntil = Date.now() + seconds * 1000;
  let timer: NodeJS.Timeout;
  const lose = () => {
    ended = true;
    onEnd(new LeaseLost());
  };
  const renew = async (): Promise<void> => {
    try {
      const asked = Date.now();
      const { held, cancelRequested } = await store.operations.renew(claim, seconds);
      if (ended) return;
      if (!held) return lose();
      validUntil = asked + seconds * 1000;
      if (cancelRequested) onEnd(new Cancelled());
    } catch (error) {
      onError(error);
      if (!ended && Date.now() >= validUntil) return lose();
    }
    if (!ended) schedule();
  };
  const schedule = () => {
    timer = setTimeout(() => void renew(), (seconds * 1000) / 3);
  };
  schedule();
  return {
    end() {
      ended = true;
      clearTimeout(timer);
    },
  };
}
