import { setTimeout as wait } from 'node:timers/promises';
import { type RawRequest, rawRequest } from '../support/raw-request.js';
import type { GatewayPlace } from './gateways.js';
import type { History } from './history.js';
import type { Random } from './random.js';

export type Json = Record<string, unknown>;

/** What a client knows after a request. */
export type Outcome =
  /** 2xx: acknowledged. */
  | { kind: 'done'; status: number; body: Json; location: string | undefined; bytes: Buffer }
  /** The gateway said no. `sure`: it did nothing; otherwise some of it may have happened. */
  | { kind: 'refused'; status: number; text: string; sure: boolean }
  /** The connection was lost: it happened, or it did not. */
  | { kind: 'unknown'; text: string };

/** Speaks as one user to whichever gateway is there. */
export interface Speaker {
  send(subject: string, method: string, path: string, request?: RawRequest): Promise<Outcome>;
  /** A GET, again and again until somebody answers with 2xx or 404. Undefined: 404. */
  read(subject: string, path: string): Promise<Json | undefined>;
  /** Waits until the task has ended; undefined: there is no such task. */
  ended(subject: string, taskId: number): Promise<{ status: string; error?: string } | undefined>;
  /** Waits until none of this user's tasks is open. */
  quiet(subject: string): Promise<void>;
}

export interface SpeakerParts {
  user: string;
  gateways: readonly GatewayPlace[];
  random: Random;
  history: History;
  count(what: string): void;
  /** Ends every waiting. */
  signal: AbortSignal;
}

/** Milliseconds without an answer, far beyond the patience of the gateways: something hangs. */
const ANSWER_LIMIT = 120_000;
/** Milliseconds until an operation has to have ended, interruptions included. */
const TASK_LIMIT = 240_000;
const NOTHING_DONE = [400, 401, 403, 404, 405, 406, 413, 415, 429, 501];
/** A client that knows what it does never sees them. */
const NEVER = [400, 401, 403, 405, 406, 413, 415, 501];
const OPEN = ['PENDING', 'RUNNING'];

export function speakerOf({ user, gateways, random, history, count, signal }: SpeakerParts): Speaker {
  const pick = async (): Promise<GatewayPlace> => {
    for (;;) {
      const up = gateways.filter((gateway) => gateway.isUp());
      if (up.length > 0) return random.one(up);
      await wait(50, undefined, { signal });
    }
  };

  const send: Speaker['send'] = async (subject, method, path, request = {}) => {
    for (;;) {
      const gateway = await pick();
      const line = `${method} ${path} at ${gateway.name}`;
      const began = Date.now();
      try {
        const answer = await rawRequest(`${gateway.origin}/rest${path}`, {
          ...{ method, user, signal: AbortSignal.timeout(ANSWER_LIMIT), ...request },
          headers: { Accept: 'application/json', ...request.headers },
        });
        const { status, headers, text, body } = answer;
        const told = status < 300 ? (headers.location ?? '') : text;
        if (method !== 'GET' || status >= 400)
          history.tell(subject, `${line} -> ${status} ${told} (${Date.now() - began} ms)`);
        count(`status ${status}`);
        if (NEVER.includes(status) || isBug(status, text))
          history.violation(subject, `${line} was answered with ${status}: ${text}`);
        if (status >= 300) return { kind: 'refused', status, text, sure: NOTHING_DONE.includes(status) };
        const isJson = (headers['content-type'] ?? '').startsWith('application/json');
        const location = headers.location;
        return { kind: 'done', status, body: isJson ? (JSON.parse(text) as Json) : {}, location, bytes: body };
      } catch (error) {
        const { code, name, message } = error as NodeJS.ErrnoException;
        signal.throwIfAborted();
        if (name === 'TimeoutError' || code === 'ABORT_ERR')
          history.violation(subject, `${line} was not answered within ${ANSWER_LIMIT / 1000} seconds`);
        if (code !== 'ECONNREFUSED') {
          history.tell(subject, `${line} -> lost: ${code ?? message} (${Date.now() - began} ms)`);
          count('lost');
          return { kind: 'unknown', text: code ?? message };
        }
        // Nobody took it: it is sent again, to somebody else.
        await wait(50, undefined, { signal });
      }
    }
  };

  const read = async (subject: string, path: string, headers: Record<string, string>): Promise<Json | undefined> => {
    for (;;) {
      const outcome = await send(subject, 'GET', path, { headers });
      if (outcome.kind === 'done') return outcome.body;
      if (outcome.kind === 'refused' && outcome.status === 404) return undefined;
      await wait(200, undefined, { signal });
    }
  };

  // Another gateway may show for a second what was before; the only one never does.
  const fresh: Speaker['read'] = (subject, path) =>
    read(subject, path, gateways.length > 1 ? { 'Cache-Control': 'no-cache' } : {});

  const ended: Speaker['ended'] = async (subject, taskId) => {
    for (const limit = Date.now() + TASK_LIMIT; ; await wait(200, undefined, { signal })) {
      const task = (await read(subject, `/task/${taskId}`, {})) as
        | { status: string; error?: { value: string; code: string } }
        | undefined;
      if (!task) return undefined;
      if (!OPEN.includes(task.status))
        return { status: task.status, ...(task.error && { error: `${task.error.code}: ${task.error.value}` }) };
      if (Date.now() > limit) {
        history.violation(
          subject,
          `task ${taskId} did not end within ${TASK_LIMIT / 1000} seconds: ${JSON.stringify(task)}`,
        );
        return { status: task.status };
      }
    }
  };

  return {
    send,
    read: fresh,
    ended,
    async quiet(subject) {
      const name = user.split(':')[0];
      for (;;) {
        const list = (await fresh(subject, '/task?pageSize=60&page=1')) as {
          tasks?: { id: number; status: string; user: string }[];
        };
        const open = (list.tasks ?? []).filter((task) => task.user === name && OPEN.includes(task.status));
        if (open.length === 0) return;
        for (const task of open) await ended(subject, task.id);
      }
    },
  };
}

/** A gateway's own fault is never right; a task that is given up after many interruptions is. */
function isBug(status: number, text: string): boolean {
  return status === 500 && !/interrupted (once|\d+ times) by an end of the gateway/.test(text);
}
