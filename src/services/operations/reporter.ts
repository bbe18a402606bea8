import type { Step } from '../../domain/model.js';

/** Each step that ends takes this part of what was left: progress grows, and never reaches 100 before the end. */
const PART_OF_REST = 0.3;

/** The visible steps of a run, gathered to be written seldom: a fast platform's steps cost one transaction together. */
export interface Reporter {
  /** Begins the step, or tells more about it; a new name under the same parent ends the one before. */
  report(name: string, parent: string, report?: { progress?: number; text?: string }): void;
  /** Ends the step, with what is open under it. */
  end(name: string, state: 'DONE' | 'FAILED'): Step;
  /** Ends what is open under the step. */
  endChildren(parent: string, state: 'DONE' | 'FAILED'): void;
  /** The step was written by somebody else. */
  written(name: string): void;
  /** What has changed since the last time. */
  take(): Changes;
}

export interface Changes {
  steps: Step[];
  progress?: number;
}

/** `earlier`, `progress`: as an earlier attempt left them. */
export function createReporter(earlier: readonly Step[], progress: number): Reporter {
  const steps = new Map(earlier.map((step) => [step.name, { ...step }]));
  const changed = new Set<string>();
  const children = new Map<string, string>();
  let reached = progress;
  let told = progress;

  const begin = (name: string): Step => {
    const step: Step = { name, state: 'RUNNING', startedAt: new Date().toISOString() };
    steps.set(name, step);
    return step;
  };
  const endChildren = (parent: string, state: 'DONE' | 'FAILED'): void => {
    const child = children.get(parent);
    children.delete(parent);
    if (child !== undefined) end(child, state);
  };
  const end = (name: string, state: 'DONE' | 'FAILED'): Step => {
    endChildren(name, state);
    const step = steps.get(name) ?? begin(name);
    if (step.state === 'RUNNING') reached += (100 - reached) * PART_OF_REST;
    step.state = state;
    step.endedAt = new Date().toISOString();
    if (state === 'DONE' && step.progress !== undefined) step.progress = 100;
    changed.add(name);
    return { ...step };
  };
  return {
    report(name, parent, { progress: part, text } = {}) {
      const before = children.get(parent);
      if (before !== undefined && before !== name) end(before, 'DONE');
      if (parent !== name) children.set(parent, name);
      const known = steps.get(name);
      const step = known?.state === 'RUNNING' ? known : begin(name);
      if (part !== undefined) step.progress = Math.max(0, Math.min(100, Math.round(part)));
      if (text !== undefined) step.text = text;
      changed.add(name);
    },
    end,
    endChildren,
    written(name) {
      changed.delete(name);
    },
    take() {
      const taken = [...changed].flatMap((name) => steps.get(name) ?? []).map((step) => ({ ...step }));
      changed.clear();
      const now = Math.floor(reached);
      if (now === told) return { steps: taken };
      told = now;
      return { steps: taken, progress: now };
    },
  };
}
