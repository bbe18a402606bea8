import { appendFileSync } from 'node:fs';

/** What happened, to whom and when; the whole of it in a file, the part of one object for a failure's text. */
export interface History {
  /** `subject`: an object's name such as `app c3-7`, or what was killed. */
  tell(subject: string, text: string): void;
  /** The last lines about the subject, between those about kills. */
  of(subject: string, most?: number): string[];
  /** Seconds since the beginning. */
  seconds(): number;
  /** The run has found what must not be. It goes on to its end, so that everything wrong is told at once. */
  violation(subject: string, text: string): void;
  readonly violations: readonly Violation[];
}

export interface Violation {
  subject: string;
  text: string;
  at: number;
}

/** Told with every subject. */
export const KILLS = 'kill';

export function openHistory(file: string): History {
  const began = Date.now();
  const lines: { subject: string; text: string }[] = [];
  const violations: Violation[] = [];
  const seconds = () => (Date.now() - began) / 1000;
  const tell: History['tell'] = (subject, text) => {
    const line = `${seconds().toFixed(2).padStart(8)}  ${subject}: ${text}`;
    lines.push({ subject, text: line });
    appendFileSync(file, `${line}\n`);
  };
  return {
    tell,
    seconds,
    violations,
    of: (subject, most = 60) =>
      lines
        .filter((line) => line.subject === subject || line.subject === KILLS)
        .slice(-most)
        .map((line) => line.text),
    violation(subject, text) {
      tell(subject, `VIOLATION ${text}`);
      violations.push({ subject, text, at: seconds() });
    },
  };
}
