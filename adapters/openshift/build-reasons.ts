import { AdapterError } from '../adapter.js';
import type { Build, Pod } from './api-objects.js';
import { isQuota } from './errors.js';
import { BUILD, POD, pathOf } from './kinds.js';
import { podTrouble } from './states.js';
import type { Work } from './work.js';

const LAST_LINES = 40;
const LAST_CHARACTERS = 4000;

/** A build that ended badly: its reason, and the end of its log. */
export async function explainBuild(work: Work, namespace: string, build: Build): Promise<AdapterError> {
  const { phase = 'Failed', reason, message, logSnippet } = build.status ?? {};
  const log = (await logTail(work, namespace, build.metadata.name)) || (logSnippet ?? '');
  const why = [reason, message].filter(Boolean).join(': ');
  const text = `Build ${build.metadata.name} ended as ${phase}${why ? `. ${why}` : ''}${log ? `\n${log}` : ''}`;
  return new AdapterError(isQuota(text) ? 'quota' : 'failed', text);
}

async function logTail({ client, call }: Work, namespace: string, name: string): Promise<string> {
  try {
    const text = await client.text(pathOf(BUILD, namespace, name, 'log'), { tailLines: LAST_LINES }, call.signal);
    return text.trimEnd().slice(-LAST_CHARACTERS);
  } catch {
    // A build without a pod has no log; the reason above is all there is.
    call.signal.throwIfAborted();
    return '';
  }
}

/** Why a build does not go on, beginning with `: `; empty when the cluster does not say. */
export async function explainWaiting({ client, call }: Work, namespace: string, name: string): Promise<string> {
  try {
    const pods = await client.list<Pod>(POD, { namespace, labels: `openshift.io/build.name=${name}` }, call.signal);
    const trouble = pods.items.map(podTrouble).find((one) => one !== undefined);
    if (trouble) return `: ${trouble.text}`;
    const build = await client.read<Build>(BUILD, namespace, name, call.signal);
    const told = [build?.status?.reason, build?.status?.message].filter(Boolean).join(': ');
    return told ? `: ${told}` : '';
  } catch {
    call.signal.throwIfAborted();
    return '';
  }
}
