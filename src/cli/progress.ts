import { Listr, ListrLogger, ProcessOutput } from 'listr2';
import { CommandFault } from './fault.js';
import type { Report } from './scenario.js';
import type { Terminal } from './terminal.js';

export interface Stage {
  title: string;
  /** Gives the title under which it stands when it is done. */
  run(report: Report): Promise<string>;
}

/**
 * Runs stages one after the other and shows them: live on a terminal, else line by line on stderr, so that stdout holds results alone.
 * The first fault ends it and is thrown as it is.
 */
export async function runStages(stages: readonly Stage[], terminal: Terminal): Promise<void> {
  let fault: unknown;
  // A line for each chunk of an upload would bury the rest of a log.
  const pause = terminal.stdout.isTTY ? 80 : 2000;
  const tasks = stages.map(({ title, run }) => ({
    title,
    task: async (_: unknown, task: { output: string; title: string }) => {
      let last = { text: '', at: 0 };
      const report: Report = (text) => {
        const now = Date.now();
        const sameStep = text.replace(/[\d.]+/g, '') === last.text.replace(/[\d.]+/g, '');
        if (text === '' || text === last.text || (sameStep && now - last.at < pause)) return;
        last = { text, at: now };
        task.output = text;
      };
      try {
        task.title = await run(report);
      } catch (error) {
        fault = error;
        // The fault's own words stand in the last line of the command; here a mark is enough.
        throw new Error('see below');
      }
    },
  }));
  const listr = new Listr(tasks, {
    fallbackRenderer: 'simple',
    rendererOptions: { collapseErrors: true, showErrorMessage: false },
    fallbackRendererOptions: {
      logger: new ListrLogger({ processOutput: new ProcessOutput(terminal.stderr, terminal.stderr) }),
    },
    registerSignalListeners: false,
  });
  try {
    await listr.run();
  } catch (error) {
    throw fault ?? error;
  }
}

/** A report that ends the work when the user asks for that: what is half done is undone then. */
export function untilInterrupted(report: Report, { interrupted }: Terminal): Report {
  return (text) => {
    if (interrupted.aborted) throw new CommandFault('Interrupted; nothing was changed.');
    report(text);
  };
}
