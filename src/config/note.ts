import * as z from 'zod';

/** What people read of a setting: `coaps serve --help` and README's table are made of it. */
export interface SettingNotes {
  /** The environment variable that overrides the file. */
  variable?: string;
  /** The default in words, where the value alone does not tell. */
  otherwise?: string;
  help: string;
  /** Never shown. */
  secret?: true;
}

const notes = z.registry<SettingNotes>();

/** Keeps the notes beside the setting. */
export function note<T extends z.ZodType>(setting: T, about: SettingNotes): T {
  notes.add(setting, about);
  return setting;
}

export function notesOf(setting: z.ZodType): SettingNotes | undefined {
  return notes.get(setting);
}
