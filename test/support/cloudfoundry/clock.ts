/**
 * When the fake's background work happens. By itself: after a pause, all pauses shortened by one factor. By hand: `advance` does what is
 * due next, so that a test sees every state in between.
 */
export interface Clock {
  /** Milliseconds of a real platform. */
  after(milliseconds: number, work: () => void | Promise<void>): void;
  /** By hand: does the work that is due next. False: there is none. */
  advance(): Promise<boolean>;
  stop(): void;
}

export function createClock(options: { factor: number } | 'by hand'): Clock {
  return options === 'by hand' ? byHand() : byItself(options.factor);
}

function byItself(factor: number): Clock {
  const timers = new Set<NodeJS.Timeout>();
  let stopped = false;
  return {
    after(milliseconds, work) {
      if (stopped) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        void work();
      }, milliseconds * factor);
      timers.add(timer);
    },
    advance: async () => false,
    stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function byHand(): Clock {
  let now = 0;
  let waiting: { at: number; work: () => void | Promise<void> }[] = [];
  return {
    after(milliseconds, work) {
      waiting.push({ at: now + milliseconds, work });
    },
    async advance() {
      const next = waiting.reduce((first, one) => (one.at < first.at ? one : first), waiting[0] as (typeof waiting)[0]);
      if (!next) return false;
      waiting = waiting.filter((one) => one !== next);
      now = next.at;
      await next.work();
      return true;
    },
    stop() {
      waiting = [];
    },
  };
}
