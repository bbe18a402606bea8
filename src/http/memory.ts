import { createKeptAnswers, type KeptAnswers } from './kept-answers.js';
import type { AppOptions } from './options.js';
import { createRecognition, type Recognition } from './recognition.js';

/** Who was recognised and what was answered a moment ago, as far as it still stands. */
export interface Memory {
  /** To be taken before anything is read that is remembered. Undefined: nothing can be remembered now. */
  now(): number | undefined;
  recognition: Recognition;
  answers: KeptAnswers;
}

export function createMemory({ revisions, keep = 0, anonymous }: AppOptions): Memory | undefined {
  if (!revisions) return undefined;
  return {
    now: () => revisions.now(),
    recognition: createRecognition(revisions, anonymous),
    answers: createKeptAnswers(revisions, keep),
  };
}
