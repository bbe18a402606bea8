import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Command } from 'commander';
import type { Action } from '../api/action.js';
import { filledPath, parameterNames } from '../api/lookup.js';
import { TABLE } from '../api/table.js';
import type { GatewayAnswer, GatewayClient, GatewayRequest } from './client.js';
import { CommandFault } from './fault.js';
import { show } from './show.js';
import type { Terminal } from './terminal.js';
import { uploadBody } from './upload.js';

interface ActionOptions {
  file?: string;
  artefact?: string;
  async?: boolean;
  wait?: string;
  fresh?: boolean;
  xml?: boolean;
  json?: boolean;
  [query: string]: unknown;
}

/** One command for each row of the table of actions, made from the row alone. */
export function actionCommands(open: (command: Command) => Promise<GatewayClient>, terminal: Terminal): Command[] {
  return Object.entries(TABLE as Record<string, Action>).map(([key, row]) => {
    const command = new Command(key).description(row.summary);
    const parameters = parameterNames(row.path);
    for (const name of parameters) command.argument(`<${name}>`);
    for (const [name, query] of Object.entries(row.query ?? {}))
      command.option(query.type === 'boolean' ? `--${name}` : `--${name} <${query.type}>`, query.help);
    if (row.body) command.option('--file <file>', 'The descriptor, XML or JSON; - is the standard input.');
    if (row.body === 'upload') command.option('--artefact <file>', 'The artefact to send: war, ear, jar or zip.');
    if (row.durable)
      command
        .option('--async', 'Answer at once with the task.')
        .option('--wait <seconds>', 'Wait so long, then answer with the task.');
    if (row.method === 'GET') command.option('--fresh', 'Ask the platform for one look before.');
    if (!['bytes', 'logs', 'wadl', 'openapi'].includes(row.response)) command.option('--xml', 'Print the XML answer.');
    return command.action(async (...given: unknown[]) => {
      const values = given.slice(0, parameters.length) as string[];
      const options = command.optsWithGlobals<ActionOptions>();
      const request = await toRequest(row, values, options, terminal);
      await print(row, await (await open(command)).send(request), options, terminal);
    });
  });
}

async function toRequest(
  row: Action,
  values: readonly string[],
  options: ActionOptions,
  terminal: Terminal,
): Promise<GatewayRequest> {
  const params = Object.fromEntries(parameterNames(row.path).map((name, index) => [name, values[index] ?? '']));
  const path = filledPath(row.path, params) ?? row.path;
  const names = Object.keys(row.query ?? {}).filter((name) => options[name] !== undefined);
  const prefer = options.async ? 'respond-async' : options.wait !== undefined ? `wait=${options.wait}` : undefined;
  return {
    method: row.method,
    path,
    query: Object.fromEntries(names.map((name) => [name, String(options[name])])),
    accept: isText(row, options) ? 'application/xml' : 'application/json',
    headers: { ...(prefer && { Prefer: prefer }), ...(options.fresh && { 'Cache-Control': 'no-cache' }) },
    body: await bodyOf(row, options, terminal),
    signal: terminal.interrupted,
  };
}

async function bodyOf(row: Action, options: ActionOptions, terminal: Terminal): Promise<GatewayRequest['body']> {
  if (!row.body) return undefined;
  const optional = row.body === 'key' || (row.body === 'upload' && row.durable);
  const file = options.file ?? (optional || terminal.stdin.isTTY || options.artefact !== undefined ? undefined : '-');
  const descriptor = file === undefined ? await askFor(row, terminal) : await readDescriptor(file, terminal);
  if (options.artefact !== undefined) {
    const artefact = resolve(terminal.directory, options.artefact);
    return await uploadBody(artefact, basename(artefact), descriptor);
  }
  if (descriptor === undefined && !optional)
    throw new CommandFault('Give the descriptor with --file, or on the standard input.', 2);
  if (descriptor === undefined) return undefined;
  return { type: /^\s*\{/.test(descriptor) ? 'application/json' : 'application/xml', content: descriptor };
}

/** A password is the one document that a person would rather type than keep in a file. */
async function askFor({ body }: Action, terminal: Terminal): Promise<string | undefined> {
  if (body !== 'password' || !terminal.interactive) return undefined;
  const password = await terminal.askSecret('New password: ');
  if ((await terminal.askSecret('Again: ')) !== password)
    throw new CommandFault('These are two different passwords.', 2);
  return JSON.stringify({ password });
}

async function readDescriptor(file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return await text(terminal.stdin);
  try {
    return await readFile(resolve(terminal.directory, file), 'utf8');
  } catch (error) {
    throw new CommandFault(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, 2);
  }
}

/** Answers that are shown as they come. */
function isText(row: Action, options: ActionOptions): boolean {
  return Boolean(options.xml) || ['bytes', 'logs', 'wadl'].includes(row.response);
}

async function print(row: Action, answer: GatewayAnswer, options: ActionOptions, terminal: Terminal): Promise<void> {
  if (isText(row, options)) {
    await pipeline(answer.body, terminal.stdout, { end: false });
    return;
  }
  const document: unknown = await json(answer.body).catch(() => {
    throw new CommandFault('The gateway answered with something that is no JSON; is this the URL of a COAPS API?');
  });
  const printed = options.json || row.response === 'openapi' ? JSON.stringify(document, undefined, 2) : show(document);
  terminal.stdout.write(`${printed}\n`);
}
