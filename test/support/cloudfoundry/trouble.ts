import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * What goes wrong with a request. `before` the Cloud Controller sees it, or `after` it did what was asked: then only the answer is lost.
 * `cut`: the connection ends; `bad gateway`: 502 of a proxy in front; `cut upload`: the connection ends in the middle of the body.
 */
export type Fault =
  | { kind: 'cut' | 'bad gateway'; when: 'before' | 'after' }
  | { kind: 'cut upload' }
  | { kind: 'expired token' }
  | { kind: 'limited'; seconds: number }
  | { kind: 'slow'; milliseconds: number }
  /** A careless proxy: it tells the whole request, headers too. */
  | { kind: 'indiscreet'; status: number };

export interface Planned {
  fault: Fault;
  /** Of requests whose `METHOD /path` matches. */
  on: RegExp;
  /** So many are let through first. */
  after?: number;
  times?: number;
}

/** The switches. Faults are planned for coming requests; each is used up. */
export interface Trouble {
  plan(planned: Planned): void;
  /** Forgets all that is planned, and answers again. Those that are being slow answer now. */
  clear(): void;
  /** Nobody answers: every connection ends at once. */
  down: boolean;
  /**
   * A request whose line matches is done and not answered, and nobody answers from then on: for who asked it is as if he had died there.
   * `then` may see to it that he does.
   */
  dieAt(line: RegExp, then?: () => void): void;
  /** How often a fault came about. */
  readonly happened: string[];
}

export interface TroubleGate extends Trouble {
  /** True: the request is over. */
  before(request: IncomingMessage, response: ServerResponse, line: string): Promise<boolean>;
  /** True: the answer is lost. */
  after(response: ServerResponse, line: string): boolean;
}

export function createTrouble(): TroubleGate {
  let plans: (Required<Planned> & { taken: boolean })[] = [];
  let hurry = new AbortController();

  function next(line: string, isNow: (fault: Fault) => boolean): Fault | undefined {
    for (const plan of plans) {
      if (!plan.on.test(line) || !isNow(plan.fault) || plan.times <= 0) continue;
      if (plan.after > 0) {
        plan.after -= 1;
        continue;
      }
      plan.times -= 1;
      trouble.happened.push(`${plan.fault.kind} at ${line}`);
      return plan.fault;
    }
    return undefined;
  }

  let death: { line: RegExp; then: (() => void) | undefined } | undefined;

  const trouble: TroubleGate = {
    down: false,
    dieAt(line, then) {
      death = { line, then };
    },
    happened: [],
    plan: ({ after = 0, times = 1, ...rest }) => void plans.push({ ...rest, after, times, taken: false }),
    clear() {
      plans = [];
      death = undefined;
      trouble.down = false;
      hurry.abort();
      hurry = new AbortController();
    },
    async before(request, response, line) {
      if (trouble.down) {
        request.socket.destroy();
        return true;
      }
      const fault = next(line, (one) => !('when' in one) || one.when === 'before');
      if (!fault) return false;
      if (fault.kind === 'slow') {
        await sleep(fault.milliseconds, undefined, { signal: hurry.signal }).catch(() => {});
        return false;
      }
      if (fault.kind === 'cut upload') {
        await new Promise((resolve) => request.once('data', resolve).once('close', resolve));
        request.socket.destroy();
      } else if (fault.kind === 'cut') request.socket.destroy();
      else if (fault.kind === 'indiscreet') tell(request, response, fault.status);
      else refuse(response, fault);
      return true;
    },
    after(response, line) {
      if (death?.line.test(line)) {
        death.then?.();
        death = undefined;
        trouble.down = true;
        response.socket?.destroy();
        return true;
      }
      const fault = next(line, (one) => 'when' in one && one.when === 'after');
      if (!fault) return false;
      if (fault.kind === 'cut') response.socket?.destroy();
      else refuse(response, fault);
      return true;
    },
  };
  return trouble;
}

function tell(request: IncomingMessage, response: ServerResponse, status: number): void {
  const detail = `cannot handle ${request.method} ${request.url} ${JSON.stringify(request.headers)}`;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ errors: [{ detail, title: 'CF-Indiscreet', code: 1 }] }));
}

function refuse(response: ServerResponse, fault: Fault): void {
  if (fault.kind === 'limited') {
    // Whole seconds, as the platform tells it: 0 is over at once.
    const reset = fault.seconds === 0 ? Math.floor(Date.now() / 1000) : Math.ceil(Date.now() / 1000 + fault.seconds);
    response.writeHead(429, {
      'content-type': 'application/json',
      'x-ratelimit-limit': '10',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(reset),
    });
    response.end(
      JSON.stringify({ errors: [{ detail: 'Rate Limit Exceeded', title: 'CF-RateLimitExceeded', code: 10013 }] }),
    );
  } else if (fault.kind === 'expired token') {
    response.writeHead(401, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ errors: [{ detail: 'Invalid Auth Token', title: 'CF-InvalidAuthToken', code: 1000 }] }),
    );
  } else {
    response.writeHead(502, { 'content-type': 'text/plain', 'x-cf-routererror': 'endpoint_failure' });
    response.end('502 Bad Gateway: Registered endpoint failed to handle the request.\n');
  }
}
