import BetterSqlite from 'better-sqlite3';

/**
 * Copies application 1 with everything below it, as the rows stand there: so it needs no column by its name but those of the keys. The
 * gateway that has the database does not run, or sees it as another process's change.
 */
export function copyApplications(file, count, { tenant, instances = 1, deployed = false } = {}) {
  const db = new BetterSqlite(file, { timeout: 10_000 });
  try {
    db.pragma('synchronous = OFF');
    const value = db.prepare("select value from counters where name = 'application'").pluck().get();
    const numbers = `with recursive n(id) as (values(${value + 1}) union all select id + 1 from n where id < ${value + count})`;
    db.transaction(() => {
      const changes = { app_id: 'n.id', name: "'Application ' || n.id", ...(tenant && { tenant: `'${tenant}'` }) };
      copy(db, numbers, 'applications', changes);
      copy(db, numbers, 'versions', { app_id: 'n.id', last_instance: String(instances) });
      copy(db, numbers, 'deployables', { app_id: 'n.id' });
      for (let number = 1; number <= instances; number++) {
        copy(db, numbers, 'instances', {
          ...{ app_id: 'n.id', instance_id: String(number) },
          ...(deployed && { env_id: '1', state: "'FAILED'", reason: `'${deployed}'` }),
        });
      }
      db.prepare("update counters set value = ? where name = 'application'").run(value + count);
    }).immediate();
    return value + 1;
  } finally {
    db.close();
  }
}

function copy(db, numbers, table, changes) {
  const columns = db.pragma(`table_info(${table})`).map(({ name }) => name);
  const values = columns.map((name) => changes[name] ?? `t.${name}`);
  // One row of the template for each number, whatever it has more of.
  const one = table === 'instances' ? 'and t.instance_id = 1' : '';
  db.exec(
    `${numbers} insert into ${table} (${columns.join(', ')}) select ${values.join(', ')} from n, ${table} t where t.app_id = 1 ${one}`,
  );
}
