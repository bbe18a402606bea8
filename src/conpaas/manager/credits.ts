import type { ConpaasNode, ConpaasStore } from '../../domain/conpaas.js';
import type { DirectorClient } from '../director-client.js';

const HOUR = 3600 * 1000;

/** The balance would go below 0. */
export class NotEnoughCredits extends Error {
  override readonly name = 'NotEnoughCredits';

  constructor() {
    super('Could not add nodes. Not enough credits.');
  }
}

/** One credit for each agent and hour, the first at once; paid through the Director's callback. */
export interface Credits {
  /** Throws NotEnoughCredits. */
  payFirstHour(node: ConpaasNode): Promise<void>;
  /** Pays every hour that has begun. False: refused. */
  payDue(nodes: readonly ConpaasNode[]): Promise<boolean>;
}

export interface CreditsOptions {
  sid: number;
  store: ConpaasStore;
  director: DirectorClient;
  clock(): Date;
}

export function createCredits({ sid, store, director, clock }: CreditsOptions): Credits {
  /** The hour's own key makes a repetition after a crash free. */
  async function payHour(node: ConpaasNode, from: string): Promise<string | undefined> {
    if (!(await director.decrementCredit(sid, `${node.nodeId}:${from}`))) return;
    const paidUntil = new Date(Date.parse(from) + HOUR).toISOString();
    await store.updateNode(node.nodeId, { paidUntil });
    return paidUntil;
  }

  return {
    async payFirstHour(node) {
      if (!(await payHour(node, node.paidUntil))) throw new NotEnoughCredits();
    },
    async payDue(nodes) {
      for (const node of nodes) {
        let paidUntil = node.paidUntil;
        while (Date.parse(paidUntil) <= clock().getTime()) {
          const next = await payHour(node, paidUntil);
          if (!next) return false;
          paidUntil = next;
        }
      }
      return true;
    },
  };
}
