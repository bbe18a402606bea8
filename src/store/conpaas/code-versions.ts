import type { ConpaasStore } from '../../domain/conpaas.js';
import type { Run } from '../run.js';

export function codeVersionRows(run: Run): Pick<ConpaasStore, 'addCodeVersion' | 'codeVersions' | 'deleteCodeVersion'> {
  return {
    addCodeVersion: (version) =>
      run.write(async (db) => {
        const { last } = await db
          .selectFrom('conpaasCodeVersions')
          .select(({ fn }) => fn.max<number | null>('position').as('last'))
          .where('sid', '=', version.sid)
          .executeTakeFirstOrThrow();
        await db
          .insertInto('conpaasCodeVersions')
          .values({ ...version, position: (last ?? 0) + 1 })
          .execute();
      }),
    codeVersions: (sid) =>
      run.read((db) =>
        db
          .selectFrom('conpaasCodeVersions')
          .select(['sid', 'codeVersionId', 'filename', 'description', 'createdAt', 'format', 'size', 'sha256'])
          .where('sid', '=', sid)
          .orderBy('position', 'desc')
          .execute(),
      ),
    deleteCodeVersion: (sid, codeVersionId) =>
      run.write(async (db) => {
        const { numDeletedRows } = await db
          .deleteFrom('conpaasCodeVersions')
          .where('sid', '=', sid)
          .where('codeVersionId', '=', codeVersionId)
          .executeTakeFirst();
        return numDeletedRows > 0n;
      }),
  };
}
