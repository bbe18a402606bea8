import type { ConpaasStore } from '../../domain/conpaas.js';
import type { Run } from '../run.js';

type Part = Pick<ConpaasStore, 'addCertificate' | 'certificate' | 'revoke' | 'forgetExpired'>;

export function certificateRows(run: Run): Part {
  return {
    addCertificate: (certificate) =>
      run.write(async (db) => {
        await db
          .insertInto('conpaasCertificates')
          .values({ ...certificate, revokedAt: null })
          .execute();
      }),
    certificate: (fingerprint) =>
      run.read((db) =>
        db.selectFrom('conpaasCertificates').selectAll().where('fingerprint', '=', fingerprint).executeTakeFirst(),
      ),
    revoke: (whose, at) =>
      run.write(async (db) => {
        const query = db.updateTable('conpaasCertificates').set({ revokedAt: at }).where('revokedAt', 'is', null);
        const { numUpdatedRows } = await ('sid' in whose
          ? query.where('sid', '=', whose.sid)
          : query.where('sid', '=', 0).where('uid', '=', whose.uid)
        ).executeTakeFirst();
        return Number(numUpdatedRows);
      }),
    forgetExpired: (before) =>
      run.write(async (db) => {
        await db.deleteFrom('conpaasCertificates').where('expiresAt', '<', before).execute();
      }),
  };
}
